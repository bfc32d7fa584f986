import { expect, it } from 'vitest';
import { withKey } from './key';

it('says the name of an item in its text, once', () => {
  expect(withKey('', 'name', 'web')).toBe('name: web\n');
  expect(withKey('# words\nname: web # old\nrules: []\n', 'name', '$& 1')).toBe("# words\nname: '$& 1'\nrules: []\n");
  expect(withKey('rules:\n  - name: x\n', 'name', 'web')).toBe('name: web\nrules:\n  - name: x\n');
});
