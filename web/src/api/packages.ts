import { api, download, upload } from './client';
import { ApiError } from './errors';
import type { ErrorBody, PackageError } from './types';

/** A mistake in a package, as exact as the server knows it. */
export interface EditError extends PackageError {
  package?: string;
  section?: string;
  path?: string[];
  /** "gauge.expr" */
  field?: string;
}

export type Kind =
  | 'text' | 'markdown' | 'integer' | 'number' | 'ratio' | 'boolean' | 'duration' | 'bytes' | 'time' | 'cron' | 'zone'
  | 'regex' | 'promql' | 'selector' | 'url' | 'host' | 'port' | 'path' | 'email' | 'colour' | 'secret' | 'enumeration'
  | 'reference' | 'list' | 'map' | 'record' | 'script' | 'any';

/** A value as written in YAML. */
export type Value = null | string | number | boolean | Value[] | { [key: string]: Value };

export interface TypeExpr {
  kind: Kind;
  /** As written: "list of duration", "percent". */
  type?: string;
  of?: TypeExpr;
  one_or_many?: boolean;
  section?: string;
  values?: { value: string; help?: string }[];
  fields?: Field[];
  /** Of a record within itself: its fields are those of the type of this name. */
  recursive?: boolean;
  one_of?: string[][];
  some_of?: string[][];
  min?: number;
  max?: number;
  pattern?: string;
  pattern_help?: string;
  or?: string[];
  unit?: string;
  /** Of a text that may hold `$name`: the item's field that declares the names. */
  variables?: string;
  script?: boolean;
  type_help?: string;
}

export interface Field extends TypeExpr {
  name: string;
  title?: string;
  help?: string;
  required?: boolean;
  default?: Value;
  example?: string;
}

export interface FieldSet {
  name: string;
  title?: string;
  page?: string;
  fields: string[];
}

export interface Section {
  name: string;
  item: string;
  title: string;
  help?: string;
  package?: string;
  shape: 'tree' | 'list' | 'document';
  acts?: string;
  indexes: Field[];
  fields: Field[];
  one_of?: string[][];
  some_of?: string[][];
  field_sets?: FieldSet[];
  contains?: string[];
}

export interface Schemas {
  sections: Section[];
  types: Field[];
}

export interface PackageEntry {
  name: string;
  version: string;
  title?: string;
  /** `checking`: programs of types are asked about its values; what ran before goes on. */
  state: 'ok' | 'checking' | 'broken';
  errors: EditError[];
  items: number;
  specification?: boolean;
  instance_of?: { package: string; name: string; declared_in: string; values?: Record<string, Value> };
  shipped?: boolean;
  sections?: Record<string, number>;
  /** Sections that a program of the package processes, and what came of it. */
  processed?: { section: string; state: string; at?: string; entities?: number; error?: string }[];
}

export interface PackageFile {
  file: string;
  size: number;
  hash: string;
}

export interface PackageDetail extends PackageEntry {
  help?: string;
  requires?: Record<string, string>;
  imports?: string[];
  fallbacks?: string[];
  overrides?: { package: string; section: string; path: string[]; field: string[] }[];
  files: PackageFile[];
  readme?: string;
  parameters?: Field[];
}

export interface TreeNode {
  name: string;
  title?: string;
  item: boolean;
  id?: string;
  children?: TreeNode[];
  error?: boolean;
}

export interface TreeSection {
  name: string;
  title: string;
  shape?: 'tree' | 'list' | 'document';
  count: number;
  nodes: TreeNode[];
}

export interface Origin {
  how: 'written' | 'default' | 'override' | 'parameter' | 'link';
  package?: string;
  file?: string;
  line?: number;
  column?: number;
}

export interface EffectiveField {
  field: string;
  value: string;
  from: Origin;
}

export type Fields = { [key: string]: Value };

export interface Item {
  id: string;
  package: string;
  section: string;
  path: string[];
  title?: string;
  file: string;
  line?: number;
  hash: string;
  /** At indent 0, with its comments. */
  yaml: string;
  written: Value;
  effective?: Fields;
  fields?: EffectiveField[];
  errors?: EditError[];
  writable?: boolean;
}

export interface Address {
  package: string;
  section: string;
  path: string[];
}

export type Operation =
  | ({ op: 'set'; field: string[]; value: Value } & Address)
  | ({ op: 'unset'; field: string[] } & Address)
  | ({ op: 'create'; value?: Value; yaml?: string; file?: string } & Address)
  | ({ op: 'replace'; yaml: string } & Address)
  | ({ op: 'rename'; name: string } & Address)
  | ({ op: 'remove' } & Address)
  | ({ op: 'copy' | 'move'; to: { package: string; path: string[] } } & Address)
  | { op: 'write'; package: string; file: string; text: string }
  | { op: 'delete_file'; package: string; file: string }
  | { op: 'create_package'; package: string; title?: string }
  | { op: 'remove_package'; package: string };

export interface FileDiff {
  file: string;
  before?: string | null;
  after?: string | null;
  diff: string;
}

export interface ChangeResult {
  commit?: number | string;
  files: FileDiff[];
  effects?: string[];
  hashes?: Record<string, string>;
}

export interface Conflict {
  file: string;
  base_hash?: string;
  hash: string;
  text: string;
}

export interface Draft {
  yaml: string;
  /** Absent where the text cannot be read. */
  written?: Value;
  errors: EditError[];
}

export interface Commit {
  id: number | string;
  at: string;
  author: string;
  reason?: string;
  files: (string | FileDiff)[];
}

export interface RegistryItem {
  id: string;
  kind: string;
  package: string;
  title?: string;
}

/** What a refused change says beside the words of the error. */
export interface Refusal extends ErrorBody {
  errors?: EditError[];
  conflicts?: Conflict[];
}

export function refusalOf(error: unknown): Refusal | undefined {
  return error instanceof ApiError ? (error.body as Refusal) : undefined;
}

const part = encodeURIComponent;
const parts = (path: string[]): string => path.map(part).join('/');

export const packagesApi = {
  schemas: (name?: string, signal?: AbortSignal) => api.get<Schemas>('/schemas', { package: name }, signal),
  list: async (signal?: AbortSignal) => (await api.get<{ packages: PackageEntry[] }>('/packages', undefined, signal)).packages,
  detail: (name: string, signal?: AbortSignal) => api.get<PackageDetail>(`/packages/${part(name)}`, undefined, signal),
  tree: async (name: string, signal?: AbortSignal) =>
    (await api.get<{ sections: TreeSection[] }>(`/packages/${part(name)}/tree`, undefined, signal)).sections,
  item: (at: Address, signal?: AbortSignal) =>
    api.get<Item>(`/packages/${part(at.package)}/items/${parts([at.section, ...at.path])}`, undefined, signal),
  file: (name: string, file: string, signal?: AbortSignal) =>
    api.get<{ file: string; text: string; hash: string }>(`/packages/${part(name)}/files/${parts(file.split('/'))}`, undefined, signal),
  change: (operations: Operation[], options: { reason?: string; preview?: boolean; base?: Record<string, string> } = {}) =>
    api.post<ChangeResult>('/package-changes', { operations, ...options }),
  draft: (
    at: { package: string; section: string; path?: string[] },
    body: { yaml: string; set?: { field: string[]; value: Value }[]; unset?: string[][] },
    signal?: AbortSignal,
  ) => api.post<Draft>('/package-draft', { ...at, ...body }, signal),
  history: async (name: string, limit: number, before?: string | number, signal?: AbortSignal) =>
    (await api.get<{ commits: Commit[] }>(`/packages/${part(name)}/history`, { limit, before }, signal)).commits,
  commit: (id: string | number, signal?: AbortSignal) => api.get<Commit>(`/package-commits/${part(String(id))}`, undefined, signal),
  revert: (id: string | number, body: { reason?: string; preview?: boolean }) =>
    api.post<ChangeResult>(`/package-commits/${part(String(id))}/revert`, body),
  diff: async (name: string, signal?: AbortSignal) =>
    (await api.get<{ files: FileDiff[] }>(`/packages/${part(name)}/diff`, undefined, signal)).files,
  archive: (name: string) => download(`/packages/${part(name)}/archive`),
  /** `replaces`: what a preview said that it takes the place of; refused (409) where something else is there by now. */
  install: (
    bytes: Blob,
    { upgrade = false, preview = false, reason, replaces }: { upgrade?: boolean; preview?: boolean; reason?: string; replaces?: string },
  ) =>
    upload<ChangeResult & { package: string; version: string; replaces?: string }>('/package-install', bytes, {
      ...(upgrade && { upgrade: 'true' }),
      ...(preview && { preview: 'true' }),
      ...(reason && { reason }),
      ...(replaces && { replaces }),
    }),
  items: async (kind: string, text: string, limit: number, signal?: AbortSignal) =>
    (await api.get<{ items: RegistryItem[] }>('/items', { kind, text, limit }, signal)).items,
};
