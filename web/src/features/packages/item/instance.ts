import type { Field, PackageEntry, Section } from '../../../api/packages';

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

/** What keeps a name from being that of a specification, with what could be meant; "" while it may become one. */
export function faultOfSpecification(name: string, packages: PackageEntry[]): string {
  const specifications = packages.filter((one) => one.specification).map((one) => one.name);
  if (name === '' || specifications.includes(name)) return '';
  const there = packages.find((one) => one.name === name);
  if (there?.state === 'broken') return `The package ${name} is broken: mend it first`;
  if (specifications.some((one) => one.startsWith(name))) return '';
  const known = specifications.length > 0 ? `: there are ${specifications.join(', ')}` : ': no package has parameters';
  return there ? `${name} has no parameters${known}` : `There is no specification “${name}”${known}`;
}
