const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const shorthands: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

interface Cron {
  minutes: Set<number>;
  hours: Set<number>;
  days: Set<number>;
  months: Set<number>;
  weekdays: Set<number>;
  /** When both days are restricted, either suffices. */
  eitherDay: boolean;
}

function parseField(text: string, least: number, most: number, names: string[] = []): Set<number> | undefined {
  const values = new Set<number>();
  const numberOf = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + (names === months ? 1 : 0) : /^\d+$/.test(word) ? Number(word) : NaN;
  };
  for (const part of text.split(',')) {
    const match = /^(\*|[a-z0-9]+(?:-[a-z0-9]+)?)(?:\/(\d+))?$/i.exec(part);
    if (!match) return undefined;
    const step = Number(match[2] ?? 1);
    const [first, second] = match[1] === '*' ? [least, most] : match[1]!.split('-').map((word) => numberOf(word));
    const last = second ?? (match[2] ? most : first!);
    if (!(first! >= least && last <= most && first! <= last && step > 0)) return undefined;
    for (let value = first!; value <= last; value += step) values.add(value);
  }
  return values;
}

export function parseCron(text: string): Cron | undefined {
  const fields = (shorthands[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const minutes = parseField(fields[0]!, 0, 59);
  const hours = parseField(fields[1]!, 0, 23);
  const monthDays = parseField(fields[2]!, 1, 31);
  const inMonths = parseField(fields[3]!, 1, 12, months);
  const weekdays = parseField(fields[4]!, 0, 7, days);
  if (!minutes || !hours || !monthDays || !inMonths || !weekdays) return undefined;
  if (weekdays.has(7)) weekdays.add(0);
  return { minutes, hours, days: monthDays, months: inMonths, weekdays, eitherDay: !fields[2]!.startsWith('*') && !fields[4]!.startsWith('*') };
}

/** The next `count` times after `after`, in the zone of that Date; fewer where there are none within five years. */
export function nextRuns(text: string, after: Date, count: number): Date[] {
  const cron = parseCron(text);
  if (!cron) return [];
  const runs: Date[] = [];
  const at = new Date(after.getTime());
  at.setSeconds(0, 0);
  at.setMinutes(at.getMinutes() + 1);
  const end = after.getTime() + 5 * 366 * 86_400_000;
  while (runs.length < count && at.getTime() < end) {
    const onDay = cron.days.has(at.getDate());
    const onWeekday = cron.weekdays.has(at.getDay());
    if (!cron.months.has(at.getMonth() + 1)) {
      at.setMonth(at.getMonth() + 1, 1);
      at.setHours(0, 0);
    } else if (!(cron.eitherDay ? onDay || onWeekday : onDay && onWeekday)) {
      at.setDate(at.getDate() + 1);
      at.setHours(0, 0);
    } else if (!cron.hours.has(at.getHours())) at.setHours(at.getHours() + 1, 0);
    else if (!cron.minutes.has(at.getMinutes())) at.setMinutes(at.getMinutes() + 1);
    else {
      runs.push(new Date(at.getTime()));
      at.setMinutes(at.getMinutes() + 1);
    }
  }
  return runs;
}
