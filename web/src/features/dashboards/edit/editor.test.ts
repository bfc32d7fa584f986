import { describe, expect, it } from 'vitest';
import { draftOf } from '../model';
import { Editor } from './editor.svelte';

const draft = draftOf({
  title: 'First',
  widgets: [
    { at: { x: 0, y: 0, w: 12, h: 8 }, chart: { queries: [{ expr: 'up' }] } },
    { at: { x: 0, y: 8, w: 6, h: 4 }, stat: { expr: 'up' } },
  ],
});

describe('undo and redo', () => {
  it('go back to where it began, and forth again', () => {
    const editor = new Editor(draft);
    editor.add('text');
    editor.remove('w0');
    expect(editor.draft.pieces).toHaveLength(2);
    editor.undo();
    editor.undo();
    expect(editor.draft).toBe(draft);
    expect(editor.unsaved).toBe(false);
    editor.undo();
    editor.redo();
    editor.redo();
    expect(editor.draft.pieces.map(({ key }) => key)).toEqual(['w1', 'n1']);
    expect(editor.canRedo).toBe(false);
  });
  it('take what is typed in one go as one step', () => {
    let now = 0;
    const editor = new Editor(draft, () => now);
    for (const title of ['S', 'Se', 'Sec']) {
      editor.change({ title }, 'title');
      now += 200;
    }
    now += 5000;
    editor.change({ title: 'Second' }, 'title');
    editor.undo();
    expect(editor.draft.title).toBe('Sec');
    editor.undo();
    expect(editor.draft.title).toBe('First');
  });
  it('forget what was undone once something else is done', () => {
    const editor = new Editor(draft);
    editor.change({ title: 'A' });
    editor.undo();
    editor.change({ title: 'B' });
    expect(editor.canRedo).toBe(false);
  });
});

it('pulls up what lies below a widget that is removed', () => {
  const editor = new Editor(draft);
  editor.remove('w0');
  expect(editor.draft.pieces.map(({ key, y }) => [key, y])).toEqual([['w1', 0]]);
});
it('adds at the bottom, chosen', () => {
  const editor = new Editor(draft);
  editor.add('logs');
  expect(editor.piece).toMatchObject({ key: 'n1', x: 0, y: 12, w: 24 });
});
it('makes a copy that is its own', () => {
  const editor = new Editor(draft);
  editor.duplicate('w1');
  expect(editor.piece).toMatchObject({ x: 6, y: 8, w: 6, h: 4 });
  editor.setWidget('n1', { stat: { expr: 'down' } }, 'expr');
  expect(editor.draft.pieces[1]!.widget.stat!.expr).toBe('up');
});
it('is saved when it stands as it was saved', () => {
  const editor = new Editor(draft);
  editor.step('w1', 'ArrowRight', false);
  expect(editor.unsaved).toBe(true);
  editor.wasSaved();
  expect(editor.unsaved).toBe(false);
  editor.undo();
  expect(editor.unsaved).toBe(true);
});
