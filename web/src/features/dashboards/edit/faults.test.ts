import { describe, expect, it } from 'vitest';
import type { Widget } from '../../../api/dashboards';
import type { EditError } from '../../../api/packages';
import { faultsOf } from './faults';

const piece = (key: string, widget: Widget) => ({ key, x: 0, y: 0, w: 6, h: 6, widget });
const pieces = [
  piece('w0', { title: 'Memory', gauge: { expr: '' } }),
  piece('n1', { title: '', states: { expr: '' } }),
  piece('n2', { title: 'Disks', table: { queries: [{ expr: '' }] } }),
  piece('n3', { chart: { queries: [{ expr: 'up' }, { expr: '' }] } }),
  piece('n4', { page: { page: '' } }),
];
const error = (field: string, message: string, remedy = ''): EditError => ({
  message, remedy, package: 'site', section: 'dashboards', path: ['a', 'b'], field, file: 'site/package.yaml', line: 27, column: 19,
});

describe('a mistake in a widget', () => {
  it('names the widget, and the field as the form does', () => {
    expect(faultsOf([error('widgets.0.gauge', '"gauge" needs the key "expr"', "PromQL with the dashboard's variables.")], pieces)).toEqual([
      { key: 'w0', where: 'Gauge “Memory”', what: 'Query is missing', remedy: '' },
    ]);
    expect(faultsOf([error('widgets.4.page', '"page" needs the key "page"')], pieces)[0]).toMatchObject({ key: 'n4', where: 'Page, widget 5', what: 'Page is missing' });
  });
  it('says once where it is, and what to do in the editor', () => {
    const unknown = error('widgets.3.chart.queries.0.expr', 'widgets.3.chart.queries.0.expr: there is no variable "mode"', 'declare it: variables: {mode: {text: true}}');
    expect(faultsOf([unknown], pieces)[0]).toMatchObject({ what: 'Query 1: there is no variable "mode"', remedy: 'add mode under “Variables”' });
  });
  it('names a widget without a title by its kind and number', () => {
    expect(faultsOf([error('widgets.1.states', '"states" needs the key "expr"')], pieces)[0]).toMatchObject({ key: 'n1', where: 'States, widget 2' });
  });
  it('counts queries where there are several', () => {
    expect(faultsOf([error('widgets.2.table.queries.0', '"queries" needs the key "expr"')], pieces)[0]!.what).toBe('Query is missing');
    expect(faultsOf([error('widgets.3.chart.queries.1', '"queries" needs the key "expr"')], pieces)[0]!.what).toBe('Query 2 is missing');
  });
  it('says what is wrong with a value, and what helps', () => {
    expect(faultsOf([error('widgets.0.gauge.max', 'must be a number, found the text "x"', 'write 1')], pieces)[0]).toEqual({
      key: 'w0', where: 'Gauge “Memory”', what: 'To: must be a number, found the text "x"', remedy: 'write 1',
    });
    expect(faultsOf([error('widgets.0.gauge.thresholds.warning', 'no number')], pieces)[0]!.what).toBe('Warning from: no number');
  });
});

it('tells each mistake once', () => {
  const one = error('widgets.1.states', '"states" needs the key "expr"');
  expect(faultsOf([one, { ...one }, error('widgets.0.gauge', '"gauge" needs the key "expr"')], pieces)).toHaveLength(2);
});

it('names fields of the dashboard itself, and other items by their place', () => {
  expect(faultsOf([error('range', '"x" is no duration', 'write 1h')], pieces)[0]).toEqual({ where: '', what: 'Time range: "x" is no duration', remedy: 'write 1h' });
  expect(faultsOf([error('variables.host', 'no values')], pieces)[0]!.what).toBe('Variable “host”: no values');
  expect(faultsOf([{ ...error('', 'broken'), section: 'rules' }], pieces)[0]).toEqual({ where: 'site/rules/a/b', what: 'broken', remedy: '' });
});
