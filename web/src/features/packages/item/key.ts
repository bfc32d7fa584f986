import type { Field, Section, TreeSection } from '../../../api/packages';
import { yamlText } from '../form/emit';
import { findNode } from '../tree/tree';

function fitsPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return true; // a pattern of RE2 that browsers do not read: the server says it
  }
}

function faultOfName(index: Field, name: string): string {
  if (name === '' || !index.pattern || fitsPattern(index.pattern, name)) return '';
  return `“${name}” is no name here: ${index.pattern_help ?? `it must fit ${index.pattern}`}`;
}

/** What is wrong with each name of the place where a new item is to stand; "" where nothing is, or nothing is entered. */
export function faultsOfPlace(section: Section, places: string[], tree: TreeSection[]): string[] {
  return section.indexes.map((index, i) => {
    const fault = faultOfName(index, places[i]!);
    const path = places.slice(0, i + 1);
    if (fault || path.includes('')) return fault;
    const there = findNode(tree, section.name, path);
    const isLast = i === section.indexes.length - 1;
    if (!there || (!isLast && !there.item)) return '';
    if (!isLast) return `${path.join('/')} is a ${section.item}, and no group`;
    return there.item ? `There is a ${section.item} ${path.join('/')} already` : `${path.join('/')} is a group`;
  });
}

/** The text of a list's item with its name: in the line that says it, else in a first one. */
export function withKey(yaml: string, key: string, name: string): string {
  const line = `${key}: ${yamlText(name, true)}`;
  const said = new RegExp(`^${key.replace(/[^\w-]/g, '\\$&')}:.*$`, 'm');
  return said.test(yaml) ? yaml.replace(said, () => line) : `${line}\n${yaml}`;
}
