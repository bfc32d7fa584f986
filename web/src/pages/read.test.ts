import { describe, expect, it } from 'vitest';
import { widgetKinds } from '../api/dashboards';
import { readWidget, variablesOf } from './read';

describe('a widget of a page', () => {
  it('is read as it stands in a dashboard', () => {
    expect(readWidget('{"title":"Up","stat":{"expr":"up"}}')).toEqual({
      widget: { title: 'Up', stat: { expr: 'up' } },
      kind: 'stat',
    });
  });

  it.each([null, '', 'x', '[]', '3', 'null', '{}', '{"title":"a"}'])('says what is wrong with %s', (spec) => {
    expect(readWidget(spec)).toHaveProperty('fault');
  });

  it.each(widgetKinds)('may be of the kind %s, as on dashboards', (kind) => {
    expect(readWidget(JSON.stringify({ [kind]: {} }))).toMatchObject({ kind });
  });
});

describe('variables of a page', () => {
  it('come from the address as a dashboard writes it', () => {
    const chosen = variablesOf(new URLSearchParams('v.host=a,b\\,c&v.all=*&theme=dark'));
    expect(chosen.host).toMatchObject({ values: ['a', 'b,c'], all: false });
    expect(chosen.all).toMatchObject({ all: true });
    expect(Object.keys(chosen)).toEqual(['host', 'all']);
  });
});
