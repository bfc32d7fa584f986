import type { FlowValue, SensorFlow } from '../../api/occi';
import { toSeconds } from '../../lib/duration';
import { digits, formatValue, type Unit } from '../../lib/units';
import type { Collector, Entity, Part, Sensor } from './model';

/** How a state of OCCI looks: a name for `State`. */
export function lookOf(state: string): string {
  if (state === 'active' || state === 'online') return 'ok';
  if (state === 'error') return 'error';
  return 'queued';
}

/** What discovery does not say: metrics have no unit there, but their names do. */
export function unitOfMetric(term: string): Unit {
  if (/Percent$/.test(term)) return 'percent';
  if (/(Received|Sent|Read|Written)$/.test(term)) return 'bytes/s';
  if (/(Delay|Trip)$/.test(term)) return 'seconds';
  return 'count';
}

const keepsUnit = new Set(['EWMA', 'Mean', 'Min', 'Max', 'Percentile', 'Downsample', 'Delta', 'Filter', 'Relabel', 'Anonymize']);

/** The unit of each stream, as far as it is known: of the metrics that feed it, through what does not change it. */
export function unitsOf(sensor: Pick<Sensor, 'collectors' | 'aggregators'>): Map<string, Unit> {
  const units = new Map<string, Unit>();
  const give = (stream: string, unit: Unit): void => void units.set(stream, units.has(stream) && units.get(stream) !== unit ? 'count' : unit);
  for (const { metrics } of sensor.collectors) {
    for (const { term, outputs } of metrics) outputs.forEach((stream) => give(stream, unitOfMetric(term)));
  }
  // As often as the longest chain may be.
  for (let round = 0; round < sensor.aggregators.length; round += 1) {
    for (const { term, inputs, outputs } of sensor.aggregators) {
      if (keepsUnit.has(term)) outputs.forEach((stream, i) => units.has(inputs[i] ?? '') && units.set(stream, units.get(inputs[i]!)!));
    }
  }
  return units;
}

const special: Record<string, number> = { NaN: NaN, '+Inf': Infinity, '-Inf': -Infinity };

export function valueWords(value: FlowValue | undefined, unit: Unit = 'count'): string {
  if (!value || value.time === undefined) return '';
  if (value.line !== undefined) return value.line;
  return formatValue(typeof value.value === 'number' ? value.value : special[value.value ?? 'NaN'], unit);
}

/** A value that is older than three periods says how it was, not how it is. */
export function isStale(value: FlowValue | undefined, period: number, now: number): boolean {
  const at = toSeconds(value?.time);
  return at !== undefined && now - at > Math.max(5, 3 * period);
}

export function periodOf(collector: Collector | undefined, sensor: Sensor | undefined): number {
  return Number(collector?.raw.attributes['occi.collector.period'] ?? sensor?.raw.attributes['occi.sensor.period'] ?? 10);
}

/** How it is, by what flows where that is newer: what was asked for is in the entity alone. */
export function seen(entity: Entity, flow: SensorFlow | undefined): { state: string; message: string } {
  if (!flow || entity.kind !== 'sensor' || entity.state === 'inactive') return entity;
  return flow;
}

export function collectorTrouble(collector: Collector, flow: SensorFlow | undefined): string {
  const said = flow?.collected.filter((one) => one.collector === collector.id) ?? [];
  const problem = said.find((one) => one.problem)?.problem;
  if (problem) return problem;
  // A value that came since is newer than what the entity said.
  return collector.state === 'error' && !said.some((one) => one.time !== undefined) ? collector.message : '';
}

/** Whether something of a sensor does not work: itself, or one of its collectors. */
export const isTroubled = (sensor: Sensor): boolean => sensor.state === 'error' || sensor.collectors.some(({ state }) => state === 'error');

export const settingsWords = ({ settings }: Part): string => settings.map(({ name, value }) => `${name} ${value}`).join(' · ');

export const count = (n: number, one: string, many = `${one}s`): string => `${digits(n)} ${n === 1 ? one : many}`;
