export type TokenKind = 'name' | 'number' | 'duration' | 'string' | 'operator' | 'open' | 'close' | 'comma' | 'comment' | 'variable' | 'other';

export interface Token {
  kind: TokenKind;
  text: string;
  from: number;
  to: number;
  /** Of a string: its closing quote is there. */
  closed: boolean;
}

const shapes: [TokenKind, RegExp][] = [
  ['comment', /#[^\n]*/y],
  ['string', /"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?/y],
  ['duration', /(?:\d+(?:ms|[smhdwy]))+\b/y],
  ['number', /0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['variable', /\$(?:\{\w*\}?|\w+)/y],
  ['name', /[a-zA-Z_][\w:]*|:[\w:]+/y],
  ['operator', /=~|!~|==|!=|>=|<=|[-+*/%^=<>@:]/y],
  ['open', /[({[]/y],
  ['close', /[)}\]]/y],
  ['comma', /,/y],
];

/** Cuts an expression into words; what is no word of the language is `other`. Never fails: people are still typing. */
export function tokensOf(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at += 1;
      continue;
    }
    const token = tokenAt(text, at);
    found.push(token);
    at = token.to;
  }
  return found;
}

export function tokenAt(text: string, at: number): Token {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = at;
    const match = shape.exec(text);
    if (!match || match[0] === '') continue;
    const word = match[0];
    const closed = kind !== 'string' || (word.length > 1 && word.endsWith(word[0]!) && !/(^|[^\\])(\\\\)*\\["']$/.test(word));
    return { kind, text: word, from: at, to: at + word.length, closed };
  }
  return { kind: 'other', text: text[at]!, from: at, to: at + 1, closed: true };
}

/** What stands between the quotes, read as the language reads it. */
export function unquote(text: string): string {
  const inside = text.replace(/^["'`]/, '').replace(/["'`]$/, '');
  if (text.startsWith('`')) return inside;
  return inside.replace(/\\(n|t|.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 't' ? '\t' : letter));
}
