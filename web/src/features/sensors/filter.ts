import { collectedBy, destinationOf, type Resource, type Sensor, type World } from './model';
import { isTroubled } from './words';

export type Shown = '' | 'active' | 'inactive' | 'error';
export interface SensorFilter {
  text: string;
  state: Shown;
  /** From 1 on. */
  page: number;
}

/** How many sensors are drawn at once, and how many resources that nothing measures. */
export const pageSize = 20;
export const mostIdle = 12;
const states: Shown[] = ['active', 'inactive', 'error'];

export function filterFromQuery(query: Record<string, string | undefined>): SensorFilter {
  const state = query.state as Shown;
  const page = Number(query.page ?? 1);
  return { text: query.q ?? '', state: states.includes(state) ? state : '', page: Number.isInteger(page) && page > 0 ? page : 1 };
}
export function filterToQuery({ text, state, page }: SensorFilter): Record<string, string | undefined> {
  return { q: text || undefined, state: state || undefined, page: page > 1 ? String(page) : undefined };
}
export const isFiltered = ({ text, state }: SensorFilter): boolean => text.trim() !== '' || state !== '';

const wordsOf = (text: string): string[] => text.trim().toLowerCase().split(/\s+/).filter(Boolean);
const meets = (words: string[], texts: string[]): boolean => {
  const all = texts.join('\n').toLowerCase();
  return words.every((word) => all.includes(word));
};

function textsOf(sensor: Sensor, world: World): string[] {
  const { aggregators, publishers, collectors } = sensor;
  const measured = collectors.flatMap(({ name, resource, metrics }) => [name, world.byKey.get(resource)?.name ?? '', ...metrics.map(({ term }) => term)]);
  return [sensor.name, sensor.id, sensor.message, ...measured, ...collectedBy(sensor), ...[...aggregators, ...publishers].flatMap((part) => [part.term, destinationOf(part), ...part.outputs])];
}
const textsOfResource = ({ name, id, kind, raw }: Resource): string[] => [name, id, kind, ...Object.values(raw.attributes).map(String)];

const isIn = (sensor: Sensor, state: Shown): boolean => state === '' || (state === 'error' ? isTroubled(sensor) : sensor.state === state);

export interface Selected {
  /** Those of the page that is shown. */
  sensors: Sensor[];
  found: number;
  page: number;
  pages: number;
  /** Resources that nothing measures, as far as they are drawn; of `idleFound`. */
  idle: Resource[];
  idleFound: number;
  counts: Record<Exclude<Shown, ''>, number>;
}

/** What is drawn of all there is. */
export function select(world: World, filter: SensorFilter): Selected {
  const words = wordsOf(filter.text);
  const fitting = world.sensors.filter((sensor) => meets(words, textsOf(sensor, world)));
  const found = fitting.filter((sensor) => isIn(sensor, filter.state));
  const pages = Math.max(1, Math.ceil(found.length / pageSize));
  const page = Math.min(filter.page, pages);
  const idle = filter.state ? [] : world.resources.filter((one) => one.collectors.length === 0 && meets(words, textsOfResource(one)));
  const countOf = (state: Shown): number => fitting.filter((sensor) => isIn(sensor, state)).length;
  return {
    sensors: found.slice((page - 1) * pageSize, page * pageSize),
    found: found.length,
    page,
    pages,
    idle: page === pages ? idle.slice(0, mostIdle) : [],
    idleFound: idle.length,
    counts: { active: countOf('active'), inactive: countOf('inactive'), error: countOf('error') },
  };
}

/** The page on which a sensor stands, so that one that was just made is seen. */
export function pageOf(world: World, filter: SensorFilter, key: string): number {
  const words = wordsOf(filter.text);
  const found = world.sensors.filter((sensor) => isIn(sensor, filter.state) && meets(words, textsOf(sensor, world)));
  const at = found.findIndex((sensor) => sensor.key === key);
  return at < 0 ? 1 : Math.floor(at / pageSize) + 1;
}
