import { describe, expect, it } from 'vitest';
import type { Field, PackageEntry, Section } from '../../../api/packages';
import { faultOfSpecification, instanceSection, instanceStart } from './instance';

const text: Field = { name: 'title', kind: 'text', type: 'text' };
const section: Section = { name: 'instances', item: 'instance', title: 'Instances', shape: 'tree', indexes: [], fields: [text, { name: 'with', kind: 'map', type: 'map of any' }] };
const host: Field = { name: 'host', kind: 'host', type: 'host', help: 'Whom to ask.', default: 'localhost' };

describe('the form of an instance', () => {
  it('asks for the parameters of its specification, with their types, help and defaults', () => {
    const [values, ...others] = instanceSection(section, [host]).fields;
    expect(values).toMatchObject({ name: 'with', kind: 'record', fields: [host] });
    expect(others).toEqual([text]);
  });

  it('begins with no values, which is something to save where all have defaults', () => {
    expect(instanceStart([host])).toEqual({ with: {} });
    expect(instanceStart([])).toEqual({});
  });
});

describe('the specification of an instance', () => {
  const entry = (name: string, more: Partial<PackageEntry> = {}): PackageEntry => ({ name, version: '1.0.0', state: 'ok', errors: [], items: 1, ...more });
  const packages = [entry('ping', { specification: true }), entry('host'), entry('worn', { state: 'broken' })];
  const fault = (name: string): string => faultOfSpecification(name, packages);

  it('is one that is there, or the beginning of one', () => {
    expect([fault(''), fault('pi'), fault('ping')]).toEqual(['', '', '']);
  });
  it('is told to be none, with those there are', () => {
    expect(fault('pong')).toBe('There is no specification “pong”: there are ping');
    expect(fault('host')).toBe('host has no parameters: there are ping');
    expect(fault('worn')).toBe('The package worn is broken: mend it first');
  });
});
