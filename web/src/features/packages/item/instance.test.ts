import { describe, expect, it } from 'vitest';
import type { Field, Section } from '../../../api/packages';
import { instanceSection, instanceStart } from './instance';

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
