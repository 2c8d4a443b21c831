// The header's numbers: what runs, how fast, and how much of it asks for attention.

import { h, setAttribute, setText } from './dom.js';
import { bytes, count, rate } from './format.js';
import { Spark } from './spark.js';

const bad = (n) => (n > 0 ? 'bad' : '');
const odd = (n) => (n > 0 ? 'odd' : '');

// Each leads to where there is more about it.
const tiles = [
  { key: 'rate', label: 'Received', href: '#/table?sort=rate', text: (t) => rate(t.rate.received), spark: ['rate', 'rate'] },
  { key: 'queue', label: 'Queued', href: '#/table?sort=queue', text: (t) => count(t.length), spark: ['length', 'length'] },
  { key: 'actors', label: 'Actors', href: '#/tree?q=', text: (t) => count(t.actors) },
  { key: 'busy', label: 'Busy', title: 'Processes that handle a message, of all', href: '#/table?sort=busy', text: (t) => `${count(t.busy)} / ${count(t.processes)}` },
  { key: 'waiting', label: 'Waiting', title: 'Who waits in Send or Ask', href: '#/graph', text: (t) => count(t.waiting), tone: (t) => odd(t.waiting) },
  { key: 'deadlocks', label: 'Deadlocks', href: '#/graph', text: (_, store) => count(store.deadlocks.length), tone: (_, store) => bad(store.deadlocks.length) },
  { key: 'stuck', label: 'Stuck', title: 'Processes that have not ended after an abort', href: '#/table?q=stuck', text: (t) => count(t.stuck), tone: (t) => bad(t.stuck) },
  { key: 'panics', label: 'Panics', href: '#/events?kind=panicked', text: (t) => count(t.panics), tone: (t) => bad(t.panics) },
  { key: 'restarts', label: 'Restarts', href: '#/table?sort=restarts', text: (t) => count(t.restarts), tone: (t) => odd(t.restarts) },
  { key: 'undelivered', label: 'Undelivered', href: '#/table?sort=undelivered', text: (t) => count(t.undelivered), tone: (t) => odd(t.undelivered) },
  { key: 'goroutines', label: 'Goroutines', text: (_, store) => count(store.program.goroutines) },
  { key: 'heap', label: 'Heap', text: (_, store) => bytes(store.program.heap) },
];

export class Totals {
  constructor(list, store) {
    this.store = store;
    this.tiles = tiles.map((tile) => {
      const value = h('span', { class: 'value' }, '\u2013');
      const spark = tile.spark ? new Spark(tile.spark[0]) : null;
      const body = [h('span', { class: 'label' }, tile.label), value, spark?.node];
      const node = tile.href ? h('a', { href: tile.href, title: tile.title ?? null }, ...body) : h('span', null, ...body);
      list.append(h('li', { 'data-total': tile.key }, node));
      return { ...tile, value, spark, node };
    });
  }

  draw() {
    const { totals, totalsHistory, now } = this.store;
    for (const { text, tone, value, spark, node, ...tile } of this.tiles) {
      setText(value, text(totals, this.store));
      setAttribute(node, 'data-tone', tone?.(totals, this.store) || null);
      spark?.draw(totalsHistory, tile.key === 'rate' ? 'rate' : 'length', now / 1000);
    }
  }
}
