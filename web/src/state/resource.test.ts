import { expect, it } from 'vitest';
import { Resource } from './resource.svelte';

it('ends a load that a later one supersedes with that one, so that whoever waited sees what it brought', async () => {
  const answers: ((value: string) => void)[] = [];
  const resource = new Resource(() => new Promise<string>((answer) => answers.push(answer)));
  const first = resource.load().then(() => resource.data);
  const second = resource.load().then(() => resource.data);
  answers[0]!('old');
  answers[1]!('new');
  expect(await Promise.all([first, second])).toEqual(['new', 'new']);
  expect(resource.loading).toBe(false);
});
