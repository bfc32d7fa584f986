import { beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { packagesApi, type Draft, type Item, type Section, type Value } from '../../../api/packages';
import type { Changes } from '../values';
import { applyChanges, ItemEdit } from './edit.svelte';

vi.mock('../../../api/packages', () => ({ packagesApi: { draft: vi.fn() } }));

const section: Section = { name: 'rules', item: 'rule', title: 'Rules', shape: 'tree', indexes: [], fields: [] };
const at = { package: 'host', section: 'rules', path: ['disk', 'full'] };
const item: Item = { ...at, id: 'host/disk/full', file: 'package.yaml', hash: 'h', yaml: 'title: Full # kept\nfor: 10s\n', written: { title: 'Full', for: '10s' } };

/** As the server does it, for the one field of these texts. */
function answer({ yaml, set = [], unset = [] }: { yaml: string } & Partial<Changes>): Draft {
  let text = yaml;
  for (const { field, value } of set) text = text.replace(new RegExp(`${field[0]!}: \\S+`), `${field[0]!}: ${String(value)}`);
  for (const field of unset) text = text.replace(new RegExp(`${field[0]!}: .*\n`), '');
  try {
    return { yaml: text, written: parse(text) as Value, errors: [] };
  } catch {
    return { yaml: text, errors: [{ message: 'cannot be read', line: 1 }] };
  }
}
const draft = vi.mocked(packagesApi.draft);
let requests: { yaml: string; resolve: () => void }[];

beforeEach(() => {
  requests = [];
  draft.mockReset().mockImplementation((_, body) => new Promise((done) => requests.push({ yaml: body.yaml, resolve: () => done(answer(body)) })));
  vi.useFakeTimers();
});
const tick = (): Promise<unknown> => vi.advanceTimersByTimeAsync(250);

describe('an item under edit', () => {
  it('shows a value at once and takes the text from the server, comments and all', async () => {
    const edit = new ItemEdit(section, at, item);
    edit.set(['title'], 'Other');
    expect(edit.written).toEqual({ title: 'Other', for: '10s' });
    expect(edit.yaml).toBe(item.yaml);
    await tick();
    requests[0]!.resolve();
    await tick();
    expect(edit.yaml).toBe('title: Other # kept\nfor: 10s\n');
    expect(edit.operations()).toEqual([{ op: 'set', ...at, field: ['title'], value: 'Other' }]);
  });

  it('gives the values of a new item that was made by its form, and the text of one that was typed', async () => {
    const edit = new ItemEdit(section, at);
    edit.set(['title'], 'New');
    expect(edit.operations()).toEqual([{ op: 'create', ...at, value: { title: 'New' } }]);
    edit.type('title: New # typed\n');
    expect(edit.operations()).toEqual([{ op: 'create', ...at, yaml: 'title: New # typed\n' }]);
    edit.stop();
  });

  it('forgets no value that was entered while the server was asked', async () => {
    const edit = new ItemEdit(section, at, item);
    edit.set(['title'], 'One');
    await tick();
    edit.set(['for'], '5s');
    requests[0]!.resolve();
    await tick();
    expect(edit.written).toEqual({ title: 'One', for: '5s' });
    requests[1]!.resolve();
    await tick();
    expect(edit.yaml).toBe('title: One # kept\nfor: 5s\n');
  });

  it('leaves the form as it was when the text cannot be read, and saves nothing of it as fields', async () => {
    const edit = new ItemEdit(section, at, item);
    edit.type('title: [');
    await tick();
    requests[0]!.resolve();
    await tick();
    expect(edit.isBroken).toBe(true);
    expect(edit.written).toEqual({ title: 'Full', for: '10s' });
    expect(edit.yaml).toBe('title: [');
    edit.type('title: Mended\n');
    await tick();
    requests[1]!.resolve();
    await tick();
    expect(edit.isBroken).toBe(false);
    expect(edit.written).toEqual({ title: 'Mended' });
    expect(edit.operations()).toEqual([{ op: 'replace', ...at, yaml: 'title: Mended\n' }]);
  });

  it('drops an answer about a text that is no longer there', async () => {
    const edit = new ItemEdit(section, at, item);
    edit.type('title: A\n');
    await tick();
    edit.type('title: AB\n');
    requests[0]!.resolve();
    await vi.advanceTimersByTimeAsync(10);
    expect(edit.yaml).toBe('title: AB\n');
    expect(edit.written).toEqual({ title: 'Full', for: '10s' });
  });

  it('is unchanged again when a field is put back', async () => {
    const edit = new ItemEdit(section, at, item);
    edit.set(['title'], 'Other');
    expect(edit.isDirty).toBe(true);
    edit.set(['title'], 'Full');
    await tick();
    requests[0]!.resolve();
    await tick();
    expect(edit.isDirty).toBe(false);
  });
});

it('takes no secret for a change of it', async () => {
  const secret = { ...item, yaml: 'title: Full\npassword: hush\n', written: { title: 'Full', password: '••••••' } };
  const edit = new ItemEdit(section, at, secret);
  await tick();
  requests[0]!.resolve();
  await tick();
  expect(edit.isDirty).toBe(false);
  edit.set(['title'], 'Other');
  await tick();
  requests[1]!.resolve();
  await tick();
  expect(edit.operations()).toEqual([{ op: 'set', ...at, field: ['title'], value: 'Other' }]);
});

it('has nothing to lose while a new item holds only what it began with', async () => {
  const edit = new ItemEdit(section, at);
  draft.mockImplementation(async (_, body) => ({ yaml: 'with: {}\n', written: applyChanges({ with: {} }, { set: [], unset: [], ...body }), errors: [] }));
  edit.begin({ with: {} });
  await tick();
  expect([edit.isDirty, edit.isTouched]).toEqual([true, false]);
  edit.set(['title'], 'One');
  expect(edit.isTouched).toBe(true);
});

describe('mistakes of an item under edit', () => {
  it('says which mistake keeps it from being saved, but none that was there before', async () => {
    const old = { message: 'unknown key "fro"', field: 'fro' };
    const edit = new ItemEdit(section, at, { ...item, errors: [{ ...old, line: 40 }] });
    const fresh = { message: '"for" must be a duration', field: 'for', line: 2 };
    draft.mockImplementation(async (_, body) => ({ yaml: body.yaml, written: item.written!, errors: [{ ...old, line: 1 }, ...(body.yaml.includes('for: 5\n') ? [fresh] : [])] }));
    await tick();
    expect([edit.errors.length, edit.faults]).toEqual([1, []]);
    edit.type('title: Full\nfor: 5\n');
    await tick();
    expect(edit.faults).toEqual([fresh]);
    edit.type('title: Full\nfor: 5s\n');
    await tick();
    expect([edit.errors.length, edit.faults]).toEqual([1, []]);
  });
});

it('takes several out of a list without losing its place', () => {
  expect(applyChanges({ list: ['a', 'b', 'c'] }, { set: [], unset: [['list', '0'], ['list', '2']] })).toEqual({ list: ['b'] });
});
