import type { EditError } from '../../api/packages';
import { atMissing } from './values';

/** `host/package.yaml` or `package.yaml` → `host/package.yaml`. */
export function qualified(name: string, file: string): string {
  return file.startsWith(`${name}/`) ? file : `${name}/${file}`;
}

/** The path of a file within its package. */
export function withinPackage(name: string, file: string): string {
  const short = file.replace(/^.*\/packages\/[^/]+\//, '');
  return short.startsWith(`${name}/`) ? short.slice(name.length + 1) : short;
}

/** Where an error is opened: the item that it is about, at its field, else the file at its line. */
export function addressOf(error: EditError, fallback = ''): { path: string[]; query: Record<string, string | undefined> } | undefined {
  const name = error.package ?? error.file?.replace(/^.*\/packages\/[^/]+\//, '').split('/')[0] ?? fallback;
  if (!name) return undefined;
  if (error.section && error.path) {
    return { path: ['packages', name, error.section, ...error.path], query: { field: atMissing(error).field || undefined } };
  }
  if (!error.file) return { path: ['packages', name], query: {} };
  const query: Record<string, string | undefined> = { file: withinPackage(name, error.file) };
  if (error.line) query.line = String(error.line);
  if (error.column) query.column = String(error.column);
  return { path: ['packages', name], query };
}
