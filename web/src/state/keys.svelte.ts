import { untrack } from 'svelte';

export interface KeyBinding {
  /** As KeyboardEvent.key; `g o` is g, then o. */
  keys: string;
  what: string;
  run: (event: KeyboardEvent) => void;
}

/** Keyboard shortcuts of the frame and of the view that is open; `?` lists them. */
class Keys {
  groups = $state.raw<{ name: string; bindings: KeyBinding[] }[]>([]);
  private prefix = '';
  private prefixTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    window.addEventListener('keydown', (event) => this.onKey(event));
  }

  /** For an $effect: returns what takes the bindings away again. */
  add(name: string, bindings: KeyBinding[]): () => void {
    const group = { name, bindings };
    const groups = untrack(() => this.groups);
    this.groups = [...groups, group];
    return () => {
      this.groups = untrack(() => this.groups).filter((other) => other !== group);
    };
  }

  private onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement | null;
    const typing = target?.matches?.('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]') ?? false;
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (typing && !isCommand) return;
    if (document.querySelector('dialog[open]') && !isCommand) return;
    if (event.altKey || (isCommand && event.key.length > 1 && event.key !== 'Enter')) return;
    // An editor that has done its own with it.
    if (event.key === 'Enter' && event.defaultPrevented) return;
    const key = isCommand ? `Ctrl ${event.key.length === 1 ? event.key.toUpperCase() : event.key}` : event.key;
    const wanted = this.prefix ? `${this.prefix} ${key}` : key;
    const all = this.groups.flatMap((group) => group.bindings).reverse();
    const binding = all.find((candidate) => candidate.keys === wanted);
    this.prefix = '';
    clearTimeout(this.prefixTimer);
    if (binding) {
      // A focused button or link keeps its own Enter.
      if (key === 'Enter' && target?.matches?.('a, button, summary')) return;
      event.preventDefault();
      binding.run(event);
    } else if (all.some((candidate) => candidate.keys.startsWith(`${wanted} `))) {
      this.prefix = wanted;
      this.prefixTimer = setTimeout(() => (this.prefix = ''), 1000);
    }
  }
}

export const keys = new Keys();
