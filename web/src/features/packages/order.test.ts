import { expect, it } from 'vitest';
import type { Rule } from '../../api/types';
import { arrangeRules, countsOf, placeOf, worstOf } from './order';

const rule = (name: string, state: Rule['state'], title = ''): Rule => ({ id: `p/g/${name}`, package: 'p', name, state, title });

it('says a place below the folder of packages', () => {
  expect(placeOf('/data/packages/default/host/package.yaml', 11)).toBe('host/package.yaml:11');
  expect(placeOf('/data/packages/default/app/a.yaml', 3, 7)).toBe('app/a.yaml:3:7');
  expect(placeOf('elsewhere.yaml')).toBe('elsewhere.yaml');
  expect(placeOf(undefined)).toBe('');
});
it('puts the worst rules first and the rest by name', () => {
  const rules = [rule('b', 'ok'), rule('a', 'ok'), rule('c', 'critical'), rule('d', 'error'), rule('e', 'no_data')];
  expect(arrangeRules(rules, '').map(({ name }) => name)).toEqual(['c', 'd', 'e', 'a', 'b']);
});
it('keeps the rules that a text is found in', () => {
  expect(arrangeRules([rule('a', 'ok', 'Disk is full'), rule('b', 'ok')], 'DISK').map(({ name }) => name)).toEqual(['a']);
});
it('counts what a package holds', () => {
  expect(countsOf({ rules: 2, dashboards: 1, scrape_configs: 3, pages: 0 })).toBe('2 rules, 1 dashboard, 3 scrape configs');
  expect(countsOf({ rpc: 1 })).toBe('1 procedure');
  expect(countsOf({ rpc: 10 })).toBe('10 procedures');
  expect(countsOf(undefined)).toBe('');
});

it('shows a package as broken, else as its worst rule', () => {
  expect(worstOf({ state: 'broken' }, [rule('a', 'critical')])).toBe('broken');
  expect(worstOf({ state: 'ok' }, [rule('a', 'ok'), rule('b', 'warning')])).toBe('warning');
  expect(worstOf({ state: 'checking' }, [rule('a', 'ok')])).toBe('checking');
  expect(worstOf({ state: 'ok' }, [])).toBe('ok');
});

it('shows a package as failing whose program fails, unless it is broken', () => {
  const processed = [{ section: 'racks', state: 'ok' }, { section: 'cards', state: 'failed', error: 'exit code 1' }];
  expect(worstOf({ state: 'ok', processed }, [rule('a', 'warning')])).toBe('failing');
  expect(worstOf({ state: 'broken', processed }, [])).toBe('broken');
  expect(worstOf({ state: 'ok', processed: [{ section: 'racks', state: 'ok' }] }, [])).toBe('ok');
});
