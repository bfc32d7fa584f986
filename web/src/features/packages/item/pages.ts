import type { FieldSet, Section } from '../../../api/packages';

export interface FormPage {
  name: string;
  title: string;
  sets: FieldSet[];
}

/** The pages of a form in the order of the schema; fields of no set come in one more, so that none is hidden. */
export function pagesOf(section: Section): FormPage[] {
  const declared = section.field_sets ?? [];
  const placed = new Set(declared.flatMap(({ fields }) => fields));
  const left = section.fields.filter(({ name }) => !placed.has(name)).map(({ name }) => name);
  const known = new Set(section.fields.map(({ name }) => name));
  const sets = declared.map((set) => ({ ...set, fields: set.fields.filter((name) => known.has(name)) })).filter(({ fields }) => fields.length > 0);
  if (left.length > 0) sets.push({ name: '', title: declared.length > 0 ? 'More' : '', page: declared.at(-1)?.page ?? '', fields: left });
  const pages: FormPage[] = [];
  for (const set of sets) {
    const name = set.page ?? '';
    // A set without a page goes where the one before it went.
    const page = name === '' ? pages.at(-1) : pages.find((one) => one.name === name);
    if (page) page.sets.push(set);
    else pages.push({ name, title: name || set.title || 'Fields', sets: [set] });
  }
  return pages.length > 0 ? pages : [{ name: '', title: 'Fields', sets: [] }];
}
