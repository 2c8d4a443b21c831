// The wait-for graph: who waits in Send or Ask for whom. Cycles are deadlocks.

import { arrange, h, Keyed, s, setAttribute, setText } from './dom.js';
import { age, count, moment, plural } from './format.js';
import { nameOf } from './columns.js';
import { place } from './layout.js';

const NODE = { width: 168, height: 40, gapX: 96, gapY: 16 };
const MARGIN = 24;
const MOST = 60; // so many nodes are drawn
const LISTED = 200; // so many edges are listed

export class Graph {
  #shape = ''; // of what is drawn
  #revealed = ''; // the cycles that were brought into sight

  constructor(parent, store) {
    this.store = store;
    this.drawing = h('div', { class: 'drawing', tabindex: '0', role: 'group', 'aria-label': 'Drawing of who waits for whom; the list below says the same' });
    this.note = h('p', { class: 'note' });
    this.list = h('tbody');
    this.table = h('table', { id: 'waits', 'aria-label': 'Who waits for whom' },
      h('thead', null, h('tr', null, ...['Who', 'waits for', 'of', 'how long'].map((label) => h('th', { scope: 'col' }, label)))), this.list);
    this.rows = new Keyed(this.list, (edge) => this.#row(edge));
    parent.append(this.drawing, this.note, this.table);
  }

  draw() {
    const edges = merge(this.store.waits);
    const nodes = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
    const cycles = new Set(this.store.deadlocks.flatMap(({ actors }) => actors.map((id, i) => `${id} ${actors[(i + 1) % actors.length]}`)));
    for (const edge of edges) edge.cycle = cycles.has(`${edge.from} ${edge.to}`);
    edges.sort((a, b) => b.cycle - a.cycle); // the others stay as they are, longest first
    // Those of cycles first, so that they are drawn in any case.
    nodes.sort((a, b) => this.store.deadlocked.has(b) - this.store.deadlocked.has(a));
    const drawn = new Set(nodes.slice(0, MOST));
    const lines = edges.filter(({ from, to }) => drawn.has(from) && drawn.has(to));

    const shape = JSON.stringify([lines.map(({ from, to, why, n }) => [from, to, why, n]), [...cycles], [...drawn].map((id) => [this.#label(id), this.#actor(id)?.state])]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      const focused = this.drawing.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
      arrange(this.drawing, nodes.length > 0 ? [this.#picture([...drawn], lines)] : []);
      this.drawing.querySelector(`a[data-id="${focused}"]`)?.focus({ preventScroll: true });
    }
    this.#reveal([...cycles].join());
    this.note.textContent = nodes.length === 0 ? 'Nobody waits: no Send lacks room, and no Ask lacks an answer.'
      : nodes.length > MOST ? `Drawn are ${MOST} of ${count(nodes.length)} actors.` : '';
    this.table.hidden = edges.length === 0;
    this.rows.draw(edges.slice(0, LISTED), (edge) => edge.key);
    return plural(this.store.waits.length, 'wait') + (this.store.deadlocks.length > 0 ? `, ${plural(this.store.deadlocks.length, 'deadlock')}` : '');
  }

  // reveal brings a deadlock that is new into sight, where the drawing is wider than the screen.
  #reveal(cycles) {
    if (cycles === this.#revealed) return;
    this.#revealed = cycles;
    const node = this.drawing.querySelector('.node.cycle')?.getBoundingClientRect();
    const frame = this.drawing.getBoundingClientRect();
    if (node !== undefined) this.drawing.scrollLeft += node.left + node.width / 2 - frame.left - frame.width / 2;
  }

  #row({ from, to, why }) {
    const times = h('span');
    const since = h('td');
    const node = h('tr', null, h('td', null, this.#link(from), times), h('td', null, why), h('td', null, this.#link(to)), since);
    return {
      node,
      draw: (edge) => {
        setAttribute(node, 'class', edge.cycle ? 'cycle' : null);
        setText(times, edge.n > 1 ? ` (${count(edge.n)})` : '');
        setText(since, age(this.store.now - edge.since));
      },
    };
  }

  #actor(id) {
    return this.store.actors.get(id);
  }

  #label(id) {
    if (typeof id === 'string') return 'outside';
    const actor = this.#actor(id);
    return actor === undefined ? `#${id}` : nameOf(actor);
  }

  #link(id) {
    if (typeof id === 'string') return h('span', null, 'outside any actor');
    return h('a', { href: `#/actor/${id}` }, this.#actor(id)?.path ?? `#${id}`);
  }

  #picture(nodes, edges) {
    const { at, width, height } = place(nodes, edges, NODE);
    const knotted = this.store.deadlocked;
    const mine = (id) => (typeof id === 'number' && knotted.has(id) ? 'node cycle' : typeof id === 'string' ? 'node outside' : 'node');
    const picture = s('svg', {
      width: width + 2 * MARGIN, height: height + 2 * MARGIN,
      viewBox: `${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`,
    }, s('defs', null, marker('arrow'), marker('arrow-cycle')));
    const words = []; // above everything else, to be read
    for (const { from, to, why, n, cycle } of edges) {
      const { path, x, y } = curve(at.get(from), at.get(to), edges.some((e) => e.from === to && e.to === from));
      picture.append(s('g', { class: cycle ? 'edge cycle' : 'edge', 'data-from': from, 'data-to': to },
        s('path', { d: path, 'marker-end': `url(#${cycle ? 'arrow-cycle' : 'arrow'})` })));
      words.push(s('text', { x, y, 'text-anchor': 'middle', class: cycle ? 'why cycle' : 'why' }, n > 1 ? `${why} \u00d7${n}` : why));
    }
    for (const id of nodes) {
      const { x, y } = at.get(id);
      const actor = typeof id === 'number' ? this.#actor(id) : undefined;
      const body = [
        s('title', null, actor?.path ?? 'outside any actor'),
        s('rect', { x: x - NODE.width / 2, y: y - NODE.height / 2, width: NODE.width, height: NODE.height, rx: 5 }),
        s('text', { x, y: y - 2, 'text-anchor': 'middle', class: 'label' }, clip(this.#label(id), 24)),
        s('text', { x, y: y + 13, 'text-anchor': 'middle', class: 'sub' }, actor === undefined ? 'no actor' : knotted.has(id) ? 'deadlock' : actor.state),
      ];
      picture.append(actor === undefined ? s('g', { class: mine(id), 'data-id': id }, ...body)
        : s('a', { class: mine(id), href: `#/actor/${id}`, 'data-id': id }, ...body));
    }
    picture.append(...words);
    return picture;
  }
}

const clip = (text, n) => (text.length <= n ? text : `\u2026${text.slice(1 - n)}`);

// merge counts waits of the same kind between the same two as one edge. Goroutines
// of no actor are one node for each that they wait for.
function merge(waits) {
  const edges = new Map();
  for (const wait of waits) {
    const from = wait.from || `outside of ${wait.to}`;
    const key = `${from} ${wait.to} ${wait.for}`;
    const since = moment(wait.since);
    const edge = edges.get(key);
    if (edge === undefined) edges.set(key, { key, from, to: wait.to, why: wait.for, n: 1, since });
    else {
      edge.n++;
      edge.since = Math.min(edge.since, since);
    }
  }
  return [...edges.values()];
}

function marker(id) {
  return s('marker', { id, viewBox: '0 0 8 8', refX: 7.5, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: 'userSpaceOnUse', orient: 'auto-start-reverse' }, s('path', { d: 'M0 0.5 8 4 0 7.5Z' }));
}

// curve leads from the border of one node to that of another; bent if there is one
// back, and as a loop if both are the same.
function curve(from, to, bent) {
  const { width, height } = NODE;
  if (from === to) {
    const x = from.x + width / 2;
    return { path: `M${x} ${from.y - 8}c40 -24 40 40 0 16`, x: x + 34, y: from.y - 14 };
  }
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  const off = bent ? Math.min(70, length * 0.45) : 0;
  const c = { x: (from.x + to.x) / 2 - (dy / length) * off, y: (from.y + to.y) / 2 + (dx / length) * off };
  const a = border(from, c, width / 2, height / 2);
  const b = border(to, c, width / 2 + 2, height / 2 + 2);
  const middle = { x: a.x / 4 + c.x / 2 + b.x / 4, y: a.y / 4 + c.y / 2 + b.y / 4 };
  return { path: `M${a.x} ${a.y}Q${c.x} ${c.y} ${b.x} ${b.y}`, x: middle.x, y: middle.y - 4 };
}

// border is where the line from the middle of a node to a point leaves the node.
function border(middle, point, w, h) {
  const dx = point.x - middle.x;
  const dy = point.y - middle.y;
  const t = Math.min(1, w / Math.abs(dx || 1e-9), h / Math.abs(dy || 1e-9));
  return { x: middle.x + dx * t, y: middle.y + dy * t };
}
