import { completeAt, type Completion, type Knowledge } from '../../../lib/promql/complete';
import { choiceLabel, substitute, type Variables } from '../variables';

/** What may be written at a place of a widget's expression: variables of the dashboard behind a `$`, else PromQL. */
export async function completeWidget(text: string, offset: number, variables: Variables, known: Knowledge): Promise<Completion | undefined> {
  const begun = /\$\{?\w*$/.exec(text.slice(0, offset))?.[0];
  if (begun !== undefined) {
    const isBraced = begun.startsWith('${');
    const to = offset + (isBraced && text[offset] === '}' ? 1 : 0);
    const list = Object.entries(variables).map(([name, chosen]) => ({
      label: isBraced ? `\${${name}}` : `$${name}`,
      insert: isBraced ? `\${${name}}` : `$${name}`,
      detail: `now ${choiceLabel(chosen)}`,
      kind: 'word' as const,
    }));
    return list.length === 0 ? undefined : { from: offset - begun.length, to, list, validFor: /^\$\{?\w*$/ };
  }
  // What is asked of the server has the values that are chosen.
  const filled = (selector: string): string => substitute(selector, variables);
  const found = await completeAt(text, offset, {
    ...known,
    labels: (selector) => known.labels(filled(selector)),
    values: (label, selector) => known.values(label, filled(selector)),
  });
  // A dollar begins something else.
  return found && { ...found, validFor: new RegExp(`^(?![^]*\\$)(?:${found.validFor.source})`) };
}
