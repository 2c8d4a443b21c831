// What was, since the page was opened.

/**
 * History keeps samples of a few numbers over time. Only changes take room, and
 * when there are too many, older ones are told more coarsely: so a page that is
 * open all day still shows how the day began.
 */
export class History {
  times = []; // seconds since 1970

  constructor(...names) {
    this.names = names;
    for (const name of names) this[name] = [];
  }

  /**
   * push takes a sample of a time. Until the time before, that of the last look,
   * the sample that is already there still held. Null stands for unknown.
   */
  push(time, before, ...values) {
    const last = this.times.length - 1;
    if (last >= 0) {
      if (this.names.every((name, i) => this[name][last] === values[i])) return;
      if (before > this.times[last]) this.#keep(before, this.names.map((name) => this[name][last]));
    }
    this.#keep(time, values);
  }

  #keep(time, values) {
    this.times.push(time);
    this.names.forEach((name, i) => this[name].push(values[i]));
  }

  /** limit halves the older half of the samples if there are more than max. */
  limit(max) {
    if (this.times.length <= max) return;
    const half = this.times.length >> 1;
    const thin = (list) => [...list.slice(0, half).filter((_, i) => i % 2 === 0), ...list.slice(half)];
    this.times = thin(this.times);
    for (const name of this.names) this[name] = thin(this[name]);
  }

  /** columns are the samples up to now, for a chart. */
  columns(now) {
    const last = this.times.length - 1;
    if (last < 0 || now <= this.times[last]) return [this.times, ...this.names.map((name) => this[name])];
    return [[...this.times, now], ...this.names.map((name) => [...this[name], this[name][last]])];
  }

  /** at is the index of the sample that held at a time. */
  at(time) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}
