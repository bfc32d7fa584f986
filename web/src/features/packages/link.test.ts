import { expect, it } from 'vitest';
import type { Schemas } from '../../api/packages';
import { linkTypes } from './link';
import { typeAt } from './values';

it('lets a type hold itself as deep as people write', () => {
  const routes = { name: 'routes', kind: 'list' as const, of: { kind: 'record' as const, type: 'route', recursive: true } };
  const route = { name: 'route', kind: 'record' as const, fields: [{ name: 'receiver', kind: 'text' as const }, routes] };
  const schemas: Schemas = { types: [route], sections: [{ name: 'a', item: 'a', title: 'A', shape: 'document', indexes: [], fields: [{ ...route, fields: [...route.fields] }] }] };
  const section = linkTypes(schemas).sections[0]!;
  expect(typeAt({ kind: 'record', fields: section.fields }, ['route', 'routes', '0', 'routes', '1', 'receiver'])?.kind).toBe('text');
});

it('leaves a type that is not known as it is', () => {
  const schemas: Schemas = { types: [], sections: [{ name: 'a', item: 'a', title: 'A', shape: 'document', indexes: [], fields: [{ name: 'x', kind: 'record', type: 'gone', recursive: true }] }] };
  expect(linkTypes(schemas).sections[0]!.fields[0]!.fields).toBeUndefined();
});
