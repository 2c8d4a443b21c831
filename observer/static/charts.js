// Charts of one actor over the minutes since the page was opened, with uPlot.

/* global uPlot */
import { h, setAttribute, setText } from './dom.js';
import { clock } from './format.js';

const HEIGHT = 120;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400]; // of the axis of time, in seconds

/** Chart draws some numbers of a History. series are {name, label}; the class of a key gives the colour. */
export class Chart {
  #plot = null;
  #data = null;

  constructor(title, series, write) {
    this.title = title;
    this.series = series;
    this.write = write;
    this.keys = series.map(({ name, label }) => {
      const value = h('b');
      return { value, node: h('span', { class: `key ${name}` }, `${label} `, value) };
    });
    this.time = h('span', { class: 'time' });
    this.canvas = h('div', { class: 'canvas', role: 'img' });
    this.node = h('figure', { class: 'chart' },
      h('figcaption', null, h('span', { class: 'title' }, title), ...this.keys.map((key) => key.node), this.time), this.canvas);
    this.sizes = new ResizeObserver(() => this.#fit());
    this.sizes.observe(this.canvas);
  }

  draw(history, now) {
    if (history === undefined) return;
    const [times, ...all] = history.columns(now);
    this.#data = [times, ...this.series.map(({ name }) => all[history.names.indexOf(name)])];
    if (this.#plot === null) this.#make();
    else this.#plot.setData(this.#data);
    this.#tell();
  }

  // tell writes the numbers under the cursor, or the last ones.
  #tell() {
    const at = this.#plot?.cursor.idx ?? null;
    const last = this.#data[0].length - 1;
    const texts = this.keys.map(({ value }, i) => {
      const number = this.#data[i + 1][at ?? last];
      const text = number === null || number === undefined ? 'unknown' : this.write(number);
      setText(value, text);
      return `${this.series[i].label} ${text}`;
    });
    setText(this.time, at === null ? '' : `at ${clock(this.#data[0][at] * 1000)}`);
    if (at === null) setAttribute(this.canvas, 'aria-label', `${this.title}, now: ${texts.join(', ')}`);
  }

  #make() {
    const width = this.canvas.clientWidth;
    if (width === 0) return;
    const ink = getComputedStyle(this.canvas);
    const axis = { stroke: ink.color, grid: { stroke: ink.borderTopColor, width: 1 }, ticks: { show: false }, font: `11px ${ink.fontFamily}` };
    this.#plot = new uPlot({
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, sync: { key: 'actor' }, drag: { setScale: false } },
      scales: { y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
      axes: [
        { ...axis, size: 22, space: 60, incrs: STEPS, values: (_, ticks) => ticks.map((t) => (t % 60 === 0 ? clock(t * 1000).slice(0, 5) : clock(t * 1000))) },
        { ...axis, size: 48, space: 30, values: (_, ticks) => ticks.map((n) => (Number.isInteger(n) ? this.write(n).replace(/\.0+(?=\D)/, '') : '')) },
      ],
      series: [{}, ...this.keys.map(({ node }, i) => {
        const color = getComputedStyle(node).getPropertyValue('border-left-color');
        return { stroke: color, width: 1.5, points: { show: false }, fill: i === 0 ? color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)') : undefined };
      })],
      hooks: { setCursor: [() => this.#data && this.#tell()] },
    }, this.#data, this.canvas);
  }

  #fit() {
    const width = this.canvas.clientWidth;
    if (this.#plot === null) {
      if (this.#data !== null) this.#make();
    } else if (width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: HEIGHT });
    }
  }

  /** repaint takes the colours anew. */
  repaint() {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#data !== null) this.#make();
  }

  close() {
    this.sizes.disconnect();
    this.#plot?.destroy();
  }
}
