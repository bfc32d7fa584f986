import type { AttributeSpec, Category, Discovered } from '../../api/occi';

const monitoring = 'http://schemas.ogf.org/occi/monitoring#';
export const sensorKind = `${monitoring}sensor`;
export const collectorKind = `${monitoring}collector`;
const resourceKind = 'http://schemas.ogf.org/occi/core#resource';

export const families = ['metric', 'aggregator', 'publisher'] as const;
export type Family = (typeof families)[number];

export const idOf = ({ scheme, term }: Category): string => scheme + term;

/** What a form asks for one attribute. */
export interface Field {
  name: string;
  /** Its last part: what people call it. */
  short: string;
  spec: AttributeSpec;
  /** The words that it may be, where its pattern lists them. */
  choices: string[];
  /** Never shown again by the server. */
  secret: boolean;
  /** Names streams: those it reads, or those it makes. */
  stream?: 'in' | 'out';
}

const reads = ['instream', 'input', 'in_msg'];
const makes = ['outstream', 'out'];
const looksSecret = /^(key|token|password|secret)$/i;

export const shortOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

export function fieldOf(name: string, spec: AttributeSpec): Field {
  const short = shortOf(name);
  const choices = spec.type === 'string' && /^[\w.-]+(\|[\w.-]+)+$/.test(spec.pattern ?? '') ? spec.pattern!.split('|') : [];
  const stream = reads.includes(short) ? 'in' : makes.includes(short) ? 'out' : undefined;
  return { name, short, spec, choices, secret: looksSecret.test(short), ...(stream ? { stream } : {}) };
}

/** What discovery says of kinds and mixins; forms are made of it. */
export class Model {
  private readonly byId: Map<string, Category>;
  private readonly familyOf = new Map<string, Family>();

  constructor(readonly discovered: Discovered) {
    this.byId = new Map([...discovered.kinds, ...discovered.mixins, ...discovered.actions].map((one) => [idOf(one), one]));
    for (const mixin of discovered.mixins) {
      const family = families.find((name) => mixin.depends?.includes(monitoring + name));
      if (family) this.familyOf.set(idOf(mixin), family);
    }
  }

  find(id: string): Category | undefined {
    return this.byId.get(id);
  }
  family(mixin: string): Family | undefined {
    return this.familyOf.get(mixin);
  }
  ofFamily(family: Family): Category[] {
    return this.discovered.mixins.filter((mixin) => this.familyOf.get(idOf(mixin)) === family);
  }
  location(kind: string): string {
    return this.byId.get(kind)?.location ?? '/occi/resource/';
  }
  title(id: string): string {
    const found = this.byId.get(id);
    return found?.title ?? found?.term ?? id.slice(id.lastIndexOf('#') + 1);
  }

  /** Kinds of what can be measured: those of resources, without sensors. */
  resourceKinds(): Category[] {
    return this.discovered.kinds.filter((kind) => kind.parent === resourceKind && idOf(kind) !== sensorKind);
  }
  /** Other mixins that may be put on entities of a kind. */
  otherMixins(kind: string): Category[] {
    const isOfFamily = (mixin: Category): boolean => this.familyOf.has(idOf(mixin)) || families.some((name) => idOf(mixin) === monitoring + name);
    return this.discovered.mixins.filter((mixin) => mixin.applies?.includes(kind) && !isOfFamily(mixin));
  }
  /** What people may set. */
  fields(category: Category | undefined): Field[] {
    return Object.entries(category?.attributes ?? {})
      .filter(([, spec]) => spec.mutable)
      .map(([name, spec]) => fieldOf(name, spec));
  }
}
