import type { Labels } from '../../api/types';
import { quote } from '../../lib/match';

const words = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'atan2', 'start', 'end']);
const lists = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** With these the labels of a result need not be those of what it is made from. */
const relabels = /\b(label_replace|label_join|count_values|on|ignoring|group_left|group_right)\b/;

/**
 * A PromQL expression for the one series that has these labels: every selector gets them as
 * matchers. Undefined where that could change what the expression means.
 */
export function narrowTo(expr: string, labels: Labels): string | undefined {
  if (relabels.test(expr.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""'))) return undefined;
  const wanted = Object.entries(labels).filter(([name]) => name !== '__name__');
  const token = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|\{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^}"'])*\}|\d[\w.]*|[a-zA-Z_:][\w:]*|\s+|./gy;
  const tokens = expr.match(token) ?? [];
  const nextOf = (i: number): string => tokens.slice(i + 1).find((text) => text.trim() !== '') ?? '';
  let out = '';
  let inList = false;
  let afterOffset = false;
  for (let i = 0; i < tokens.length; i += 1) {
    const text = tokens[i]!;
    if (inList) {
      out += text;
      if (text === ')') inList = false;
      continue;
    }
    const lower = text.toLowerCase();
    if (text.startsWith('{')) out += withMatchers(text, wanted);
    else if (/^[a-zA-Z_:]/.test(text)) {
      out += text;
      if (lists.has(lower)) inList = nextOf(i) === '(';
      else if (!words.has(lower) && !afterOffset && isBareMetric(nextOf(i))) out += withMatchers('{}', wanted);
    } else out += text;
    if (text.trim()) afterOffset = lower === 'offset';
  }
  return out;
}

/** Functions and aggregations are followed by a bracket or by `by`; other selectors bring their own braces. */
function isBareMetric(next: string): boolean {
  return next !== '(' && !next.startsWith('{') && !/^(by|without)$/i.test(next);
}

function withMatchers(braces: string, wanted: [string, string][]): string {
  const inside = braces.slice(1, -1).trim().replace(/,$/, '');
  const more = wanted
    .filter(([name]) => !new RegExp(`(^|[,\\s])${name}\\s*=(?!~)`).test(inside))
    .map(([name, value]) => `${name}=${quote(value)}`);
  return `{${[inside, ...more].filter(Boolean).join(',')}}`;
}
