// Sparklines: the last minute of one number, as an area. The number stands
// beside it in digits, so a screen reader loses nothing.

import { s, setAttribute } from './dom.js';

const WIDTH = 60; // one unit for each second
const HEIGHT = 16;
const FLAT = `M0 ${HEIGHT}H${WIDTH}`; // nothing happened

export class Spark {
  constructor(name) {
    this.path = s('path', { 'vector-effect': 'non-scaling-stroke' });
    this.node = s('svg', { class: `spark ${name}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.path);
  }

  /** draw shows the numbers of that name of a History, of the minute up to now. */
  draw(history, name, now) {
    const path = history === undefined ? '' : area(history.times, history[name], history.at(now - WIDTH), now);
    setAttribute(this.path, 'd', path);
    setAttribute(this.path, 'class', path === FLAT ? 'flat' : null);
  }
}

function area(times, values, first, now) {
  let max = 0;
  for (let i = first; i < values.length; i++) if (values[i] > max) max = values[i];
  if (max === 0) return FLAT;
  const start = now - WIDTH;
  let path = '';
  let open = false; // whether an area has begun
  let x = 0;
  for (let i = first; i < values.length; i++) {
    x = Math.max(0, times[i] - start).toFixed(1);
    if (values[i] === null) {
      if (open) path += `V${HEIGHT}Z`;
      open = false;
      continue;
    }
    const y = (HEIGHT - (HEIGHT - 1) * values[i] / max).toFixed(1);
    path += open ? `L${x} ${y}` : `M${x} ${HEIGHT}L${x} ${y}`;
    open = true;
  }
  return open ? `${path}H${WIDTH}V${HEIGHT}Z` : path;
}
