import { expect, it } from 'vitest';
import type { PackageEntry } from '../../../api/packages';
import { arrangePackages, homesOf, instanceIn } from './arrange';

const entry = (name: string, more: Partial<PackageEntry> = {}): PackageEntry => ({ name, version: '1.0.0', state: 'ok', errors: [], items: 0, ...more });
const instance = (of: string, name: string): PackageEntry => entry(`${of}@${name}`, { instance_of: { package: of, name, declared_in: 'ours' } });
const packages = [entry('ours'), entry('app', { state: 'broken' }), entry('mysql', { specification: true }), instance('mysql', 'db2'), instance('mysql', 'db1')];
const shown = (text = ''): unknown[] => arrangePackages(packages, text).map(({ entry: { name }, instances }) => [name, instances.map((one) => one.name)]);

it('puts instances under their specification, and what is broken first', () => {
  expect(shown()).toEqual([['app', []], ['mysql', ['mysql@db1', 'mysql@db2']], ['ours', []]]);
});

it('leaves a package that is being checked in its place', () => {
  const names = arrangePackages([entry('a'), entry('b', { state: 'checking' }), entry('c', { state: 'broken' })], '').map(({ entry: { name } }) => name);
  expect(names).toEqual(['c', 'a', 'b']);
});

it('puts a package whose program fails with those that are broken', () => {
  const failing = entry('z', { processed: [{ section: 'racks', state: 'failed', error: 'exit code 1' }] });
  const names = arrangePackages([entry('a'), failing], '').map(({ entry: { name } }) => name);
  expect(names).toEqual(['z', 'a']);
});

it('finds an instance with what it is of', () => {
  expect(shown('db2')).toEqual([['mysql', ['mysql@db2']]]);
  expect(shown('OUR')).toEqual([['ours', []]]);
});

it('shows an instance alone whose specification is away', () => {
  expect(arrangePackages([instance('gone', 'x')], '').map((family) => family.entry.name)).toEqual(['gone@x']);
});

it('tells instances of the same name apart that instances made', () => {
  const made = (name: string): PackageEntry => entry(name, { instance_of: { package: 'ping', name: 'gate', declared_in: 'sites' } });
  expect([made('ping@gate'), made('ping@one.gate'), made('ping@two.gate')].map(instanceIn)).toEqual([
    { name: 'gate', path: ['packages', 'sites', 'instances', 'ping', 'gate'] },
    { name: 'one.gate', path: ['packages', 'ping@one.gate'], madeBy: 'one' },
    { name: 'two.gate', path: ['packages', 'ping@two.gate'], madeBy: 'two' },
  ]);
});

it('offers for a new instance the packages of one\'s own, broken ones last', () => {
  const shipped = entry('host', { shipped: true });
  expect(homesOf([...packages, shipped, entry('zoo')])).toEqual(['ours', 'zoo', 'app']);
});

it('offers first where the specification has instances, and last what fails', () => {
  const made = (of: string, home: string): PackageEntry => entry(`${of}@x`, { instance_of: { package: of, name: 'x', declared_in: home } });
  const fails = entry('crane', { processed: [{ section: 'racks', state: 'failed' }] });
  expect(homesOf([fails, entry('dock'), entry('sea'), entry('site'), made('ping', 'site'), made('http', 'sea')], 'ping')).toEqual(['site', 'sea', 'dock', 'crane']);
});
