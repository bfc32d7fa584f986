import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  insertCompletionText,
  pickedCompletion,
  selectedCompletion,
  startCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab, insertNewline } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { forceLinting, linter, lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, Prec, type Extension } from '@codemirror/state';
import { drawSelection, dropCursor, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder, type KeyBinding } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { promql } from './promql';

/** A word the person may take at the cursor. */
export interface CodeSuggestion {
  label: string;
  insert: string;
  detail?: string;
  info?: string;
  /** Says by its shape what it is. */
  kind?: 'field' | 'value' | 'function' | 'aggregation' | 'metric' | 'label' | 'word';
  /** Where the cursor stands in `insert` afterwards; by default behind it. */
  caret?: number;
}

export interface CodeSuggestions {
  from: number;
  /** What stands up to here is replaced; by default up to the cursor. */
  to?: number;
  list: CodeSuggestion[];
  /** While what stands there looks like this, nothing is asked anew. */
  validFor?: RegExp;
}

type Found = CodeSuggestions | undefined;
export type Suggest = (text: string, offset: number) => Found | Promise<Found>;

/** A mistake at a place; lines and columns count from 1. */
export interface CodeProblem {
  line?: number | undefined;
  column?: number | undefined;
  message: string;
  remedy?: string | undefined;
}

export interface EditorOptions {
  /** A shadow root: there styles may be added although the page's policy forbids inline ones. */
  parent: ShadowRoot;
  text: string;
  label: string;
  language: 'yaml' | 'promql' | 'plain';
  readonly: boolean;
  minimal: boolean;
  /** What Ctrl Enter and Enter do; Shift Enter makes a new line then. */
  onrun?: (() => void) | undefined;
  hint: string;
  suggest?: Suggest | undefined;
  onchange: (text: string) => void;
}

export interface Editor {
  setText: (text: string) => void;
  setProblems: (problems: CodeProblem[]) => void;
  setReadonly: (readonly: boolean) => void;
  reveal: (line: number, column?: number) => void;
  focus: () => void;
  destroy: () => void;
}

const fromOutside = Annotation.define<boolean>();

// The tokens of app.css: both themes at once.
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.atom], color: 'var(--warn)' },
  { tag: [tags.labelName, tags.typeName, tags.meta, tags.function(tags.variableName)], color: 'var(--nodata)' },
  { tag: [tags.punctuation, tags.separator, tags.brace, tags.squareBracket], color: 'var(--muted)' },
  { tag: tags.invalid, color: 'var(--crit)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--panel)', color: 'var(--text)', fontSize: '12.5px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace", lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--muted)', border: '0' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 4px 0 8px', minWidth: '30px' },
  '.cm-foldGutter .cm-gutterElement': { padding: '0 4px' },
  '.cm-gutter-lint': { width: '14px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '3px 0 0 2px' },
  '.cm-lint-marker': { width: '10px', height: '10px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--hover) 55%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent) !important',
  },
  '.cm-selectionMatch': { backgroundColor: 'color-mix(in srgb, var(--accent) 18%, transparent)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--panel-2)', border: '1px solid var(--line)', color: 'var(--muted)' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', border: '1px solid var(--line-2)', borderRadius: '6px', boxShadow: 'var(--shadow)', color: 'var(--text)', zIndex: '30' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', fontSize: '12.5px', maxHeight: '14em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '10px' },
  '.cm-tooltip.cm-completionInfo': { padding: '8px 10px', maxWidth: '320px', whiteSpace: 'pre-wrap', font: '12px/1.45 system-ui, sans-serif' },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: '3px solid var(--crit)', whiteSpace: 'pre-wrap', font: '12px/1.45 system-ui, sans-serif', maxWidth: '440px' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--crit) 1px', textUnderlineOffset: '3px', textDecorationSkipInk: 'none' },
  '.cm-lintPoint-error:after': { borderBottomColor: 'var(--crit)' },
  '.cm-panels': { backgroundColor: 'var(--panel-2)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-panel.cm-search': { padding: '6px 8px' },
  '.cm-panel.cm-search label': { fontSize: '12px' },
  '.cm-textfield': { backgroundColor: 'var(--panel)', border: '1px solid var(--line-2)', borderRadius: '6px', fontSize: '12px' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--panel)', border: '1px solid var(--line-2)', borderRadius: '6px', fontSize: '12px' },
  '.cm-searchMatch': { backgroundColor: 'color-mix(in srgb, var(--warn) 30%, transparent)' },
  '.cm-searchMatch-selected': { backgroundColor: 'color-mix(in srgb, var(--warn) 60%, transparent)' },
});

const smallLook = EditorView.theme({ '&': { maxHeight: '320px' }, '.cm-content': { padding: '6px 0', minHeight: '58px' } });
const queryLook = EditorView.theme({
  '&': { maxHeight: '220px', fontSize: '13px' },
  '.cm-content': { padding: '5px 0', minHeight: '28px' },
  '.cm-completionIcon': { width: '14px', paddingRight: '8px', fontSize: '11px', opacity: '1', color: 'var(--muted)' },
  '.cm-completionIcon-function:after': { content: "'ƒ'" },
  '.cm-completionIcon-aggregation:after': { content: "'Σ'" },
  '.cm-completionIcon-metric:after': { content: "'●'", color: 'var(--accent)', fontSize: '8px' },
  '.cm-completionIcon-label:after': { content: "'∷'" },
  '.cm-completionIcon-enum:after': { content: '\'"\'' },
  '.cm-completionIcon-word:after': { content: "'·'" },
});

/** Takes a suggestion: its text, and the cursor where it is to go on. */
function applied({ insert, caret }: CodeSuggestion, end: number | undefined): Completion['apply'] {
  if (caret === undefined && end === undefined) return insert;
  return (view, completion, from, to) =>
    view.dispatch({
      ...insertCompletionText(view.state, insert, from, Math.max(to, Math.min(end ?? to, view.state.doc.length))),
      ...(caret !== undefined && { selection: { anchor: from + caret } }),
      annotations: pickedCompletion.of(completion),
    });
}

/** Whether a list may come by itself where no letter of a word stands yet. */
function isInvited(text: string, at: number): boolean {
  return /[ "'=|]$/.test(text.slice(0, at)) || /[{(,[]\s*$/.test(text.slice(0, at));
}

function completions(suggest: Suggest, invited: (text: string, at: number) => boolean): (context: CompletionContext) => Promise<CompletionResult | null> {
  return async (context) => {
    const text = context.state.doc.toString();
    const found = await suggest(text, context.pos);
    if (!found || found.list.length === 0) return null;
    if (!context.explicit && found.from === context.pos && !invited(text, context.pos)) return null;
    // A value within quotes that is replaced whole: the rest of it moves with what is typed before it.
    const beyond = found.to !== undefined && found.to > context.pos ? found.to : undefined;
    return {
      from: found.from,
      options: found.list.map((one, i) => ({
        label: one.label,
        apply: applied(one, beyond),
        detail: one.detail ?? '',
        ...(one.info && { info: one.info }),
        type: one.kind === 'value' ? 'enum' : one.kind === 'field' || !one.kind ? 'property' : one.kind,
        // Within a kind as they are listed; of many, the order of their names is as good.
        boost: Math.max(-90, -i / 10),
      })),
      ...(beyond === undefined && { validFor: found.validFor ?? /^[\w.-]*$/ }),
    };
  };
}

/** The word at a place, so that there is something to underline. */
function rangeOf(view: EditorView, problem: CodeProblem, words: RegExp): { from: number; to: number } {
  const { doc } = view.state;
  const line = doc.line(Math.min(Math.max(problem.line ?? 1, 1), doc.lines));
  let from = Math.min(line.from + Math.max((problem.column ?? 1) - 1, 0), line.to);
  if (problem.column === undefined) from = line.from + Math.max(line.text.search(/\S/), 0);
  const word = words.exec(doc.sliceString(from, line.to));
  const to = word ? from + word[0].length : from;
  // At the end of a line the last letter carries the mark.
  return to > from ? { from, to } : { from: Math.max(line.from, from - 1), to: from };
}

const yamlWords = /^("[^"]*"|'[^']*'|[^\s,:{}[\]]+|[^\s])/;
const promqlWords = /^("[^"]*"?|'[^']*'?|[\w:.]+|[=!<>~]+|[^\s])/;

function diagnosticOf(view: EditorView, problem: CodeProblem, words: RegExp): Diagnostic {
  return { ...rangeOf(view, problem, words), severity: 'error', message: [problem.message, problem.remedy].filter(Boolean).join('\n') };
}

/** Enter takes a word of the list, unless that word stands there already. */
function runKeys(run: () => void): KeyBinding[] {
  const go = (view: EditorView): boolean => {
    closeCompletion(view);
    run();
    return true;
  };
  const isWritten = ({ state }: EditorView): boolean => {
    const word = selectedCompletion(state)?.label ?? '';
    const { head } = state.selection.main;
    return word !== '' && state.sliceDoc(head - word.length - 1, head).replace(/^[^\w:]/, '') === word;
  };
  return [
    { key: 'Mod-Enter', run: go },
    { key: 'Shift-Enter', run: insertNewline },
    { key: 'Enter', run: (view) => (completionStatus(view.state) !== 'active' || isWritten(view)) && go(view) },
  ];
}

/** Only what differs is replaced, so that the cursor, the scroll and the undo history stay. */
function smallestChange(before: string, after: string): { from: number; to: number; insert: string } {
  let from = 0;
  const most = Math.min(before.length, after.length);
  while (from < most && before[from] === after[from]) from += 1;
  let cut = 0;
  while (cut < most - from && before[before.length - 1 - cut] === after[after.length - 1 - cut]) cut += 1;
  return { from, to: before.length - cut, insert: after.slice(from, after.length - cut) };
}

export function createEditor(options: EditorOptions): Editor {
  const writable = new Compartment();
  const access = (readonly: boolean): Extension => [EditorState.readOnly.of(readonly), EditorView.editable.of(!readonly)];
  const { suggest } = options;
  const words = options.language === 'promql' ? promqlWords : yamlWords;
  const extensions: Extension[] = [
    history(),
    drawSelection(),
    dropCursor(),
    indentOnInput(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    EditorView.lineWrapping,
    bracketMatching(),
    closeBrackets(),
    highlightSelectionMatches(),
    search({ top: true }),
    linter(null),
    syntaxHighlighting(colours),
    look,
    placeholder(options.hint),
    EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false' }),
    writable.of(access(options.readonly)),
    // Tab accepts and indents; Esc, then Tab leaves the editor.
    keymap.of([
      { key: 'Tab', run: acceptCompletion },
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...foldKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
      ...(options.minimal ? [] : [indentWithTab]),
    ]),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged || update.transactions.some((one) => one.annotation(fromOutside))) return;
      options.onchange(update.state.doc.toString());
    }),
  ];
  if (options.onrun) extensions.push(Prec.highest(keymap.of(runKeys(options.onrun))));
  if (options.minimal) extensions.push(options.language === 'promql' ? queryLook : smallLook);
  else extensions.push(lineNumbers(), foldGutter(), lintGutter(), highlightActiveLine());
  if (options.language === 'yaml') extensions.push(yaml());
  if (options.language === 'promql') extensions.push(promql);
  if (suggest) {
    const isPromql = options.language === 'promql';
    const invited = isPromql ? isInvited : (text: string, at: number): boolean => text[at - 1] === ' ';
    extensions.push(autocompletion({ override: [completions(suggest, invited)], activateOnTypingDelay: 60, icons: isPromql, maxRenderedOptions: 80, ...(isPromql && { interactionDelay: 0 }) }));
    // A new line or a key just completed is the moment at which words help.
    extensions.push(
      EditorView.updateListener.of((update) => {
        if (!update.transactions.some((one) => one.isUserEvent('input.complete'))) return;
        const { head } = update.state.selection.main;
        if (!isPromql || /[({"']/.test(update.state.sliceDoc(head - 1, head))) setTimeout(() => startCompletion(update.view), 0);
      }),
    );
  }
  const view = new EditorView({ parent: options.parent, root: options.parent, state: EditorState.create({ doc: options.text, extensions }) });
  let problems: CodeProblem[] = [];
  return {
    setText(text) {
      const before = view.state.doc.toString();
      if (before !== text) view.dispatch({ changes: smallestChange(before, text), annotations: fromOutside.of(true) });
    },
    setProblems(next) {
      if (next.length === 0 && problems.length === 0) return;
      problems = next;
      view.dispatch(setDiagnostics(view.state, problems.map((problem) => diagnosticOf(view, problem, words))));
      forceLinting(view);
    },
    setReadonly: (readonly) => view.dispatch({ effects: writable.reconfigure(access(readonly)) }),
    reveal(line, column = 1) {
      const { from } = rangeOf(view, { line, column, message: '' }, words);
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
