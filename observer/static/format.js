// Numbers, durations and times for people. Durations are in nanoseconds, as the
// server sends them; moments are in milliseconds since 1970.

const SPACE = '\u202f'; // narrow, and does not break

/** count writes a number: exactly below 10,000, then with three digits. */
export function count(n) {
  if (n < 10000) return String(Math.round(n)).replace(/(\d)(\d{3})$/, `$1${SPACE}$2`);
  return scaled(n, 1000, ['', 'k', 'M', 'G', 'T', 'P'], '');
}

/** rate writes messages per second. */
export function rate(n) {
  if (!(n >= 0.05)) return '0';
  if (n < 9.95) return `${n.toFixed(1)}/s`;
  return `${scaled(n, 1000, ['', 'k', 'M', 'G', 'T'], '')}/s`;
}

export function bytes(n) {
  return scaled(n, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], SPACE);
}

function scaled(n, base, units, space) {
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= base;
    unit++;
  }
  const digits = unit === 0 || n >= 99.5 ? 0 : n >= 9.95 ? 1 : 2;
  return n.toFixed(digits) + space + units[unit];
}

/** duration writes nanoseconds: 850 ns, 3.4 ms, 2.5 s, 4 m 12 s, 3 h 5 m, 2 d 4 h. */
export function duration(ns) {
  if (ns < 59.95e9) {
    for (const [unit, size] of [['ns', 1], ['µs', 1e3], ['ms', 1e6]]) {
      const n = ns / size;
      if (n < 999.5) return (n >= 9.95 || unit === 'ns' ? n.toFixed(0) : n.toFixed(1)) + SPACE + unit;
    }
    return (ns / 1e9).toFixed(1) + SPACE + 's';
  }
  const seconds = Math.round(ns / 1e9);
  for (const [big, size, small, part] of [['d', 86400, 'h', 3600], ['h', 3600, 'm', 60], ['m', 60, 's', 1]]) {
    if (seconds < size) continue;
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)}${SPACE}${big}` + (rest > 0 ? ` ${rest}${SPACE}${small}` : '');
  }
  return '';
}

/** age writes milliseconds, in whole seconds: it is looked at once a second. */
export function age(ms) {
  return ms < 1000 ? `<\u20091${SPACE}s` : duration(Math.floor(ms / 1000) * 1e9).replace('.0', '');
}

const clocks = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

/** clock writes the time of day, date the day with it. */
export const clock = (ms) => clocks.format(ms);
export const date = (ms) => dates.format(ms);

/** moment reads a time as encoding/json writes it; the zero time and none are null. */
export function moment(text) {
  if (!text || text.startsWith('0001-')) return null;
  return Date.parse(text);
}

/** plural(1, 'actor') is "1 actor", plural(2, 'actor') "2 actors". */
export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;
