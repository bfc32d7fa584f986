import { valuesOf, type Variable } from '../../api/dashboards';
import { addressPrefix, choices, substitute, type Variables } from './variables';

/** The variables of a dashboard: which values there are, and which are chosen. */
export class Choices {
  options = $state.raw<Record<string, string[]>>({});
  errors = $state.raw<Record<string, unknown>>({});
  private asked = new Map<string, string>();

  /** `read` gives the definitions and the address's query; both may change. */
  constructor(private readonly read: () => { definitions: Record<string, Variable>; query: Record<string, string> }) {}

  readonly chosen: Variables = $derived.by(() => {
    const { definitions, query } = this.read();
    return choices(definitions, query, this.options);
  });

  /** Whether it is known what is chosen: the first value of a label has to be fetched before. */
  readonly ready: boolean = $derived.by(() => {
    const { definitions, query } = this.read();
    return Object.entries(definitions).every(
      ([name, variable]) =>
        !variable.label || variable.all || variable.default !== undefined || query[addressPrefix + name] !== undefined ||
        this.options[name] !== undefined || this.errors[name] !== undefined,
    );
  });

  /** Where the values of each variable come from, as far as that is known now. */
  readonly sources: string = $derived.by(() => {
    const { definitions } = this.read();
    const found: [name: string, label: string, selector: string][] = [];
    for (const [name, variable] of Object.entries(definitions)) {
      if (variable.values || variable.text || !variable.label) continue;
      found.push([name, variable.label, substitute(variable.of ?? '', this.chosen)]);
    }
    return JSON.stringify(found);
  });

  /** Fetches what has not been fetched yet; all of it anew with `again`. */
  load(again = false): void {
    const { definitions } = this.read();
    for (const [name, variable] of Object.entries(definitions)) {
      if (variable.values) this.keep(name, variable.values.map(String));
    }
    for (const [name, label, selector] of JSON.parse(this.sources) as [string, string, string][]) {
      const source = `${label} ${selector}`;
      if (this.asked.get(name) === source && !again) continue;
      this.asked.set(name, source);
      void this.fetch(name, label, selector, source);
    }
  }

  private async fetch(name: string, label: string, selector: string, source: string): Promise<void> {
    try {
      const found = await valuesOf(label, selector);
      if (this.asked.get(name) === source) this.keep(name, found.sort((a, b) => a.localeCompare(b, undefined, { numeric: true })));
    } catch (reason) {
      if (this.asked.get(name) === source) this.errors = { ...this.errors, [name]: reason };
    }
  }

  private keep(name: string, found: string[]): void {
    const { [name]: _, ...rest } = this.errors;
    this.errors = rest;
    if (JSON.stringify(this.options[name]) !== JSON.stringify(found)) this.options = { ...this.options, [name]: found };
  }
}
