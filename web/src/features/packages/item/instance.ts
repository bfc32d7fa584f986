import type { Field, Section } from '../../../api/packages';

/** The section of instances as one specification sees it: its parameters are the fields. */
export function instanceSection(section: Section, parameters: Field[]): Section {
  if (parameters.length === 0) return section;
  const values: Field = { name: 'with', title: 'Values', kind: 'record', type: 'parameters', help: 'What its parameters stand for here.', fields: parameters };
  const others = section.fields.filter(({ name }) => name !== 'with');
  return { ...section, fields: [values, ...others] };
}

/** A parameter that has to be given is there from the start. */
export const instanceStart = (parameters: Field[]): { with: Record<string, never> } | Record<string, never> =>
  parameters.length > 0 ? { with: {} } : {};
