// The event log, newest first.

import { h, Keyed } from './dom.js';
import { finder } from './columns.js';
import { clock, count, date, duration, moment, plural } from './format.js';

const SHOWN = 200;

const looks = {
  panicked: ['\u25b2', 'bad'],
  stuck: ['\u25b2', 'bad'],
  escalated: ['\u25b2', 'bad'],
  'limit exceeded': ['\u25b2', 'bad'],
  'ignored halt': ['\u25c6', 'odd'],
  restarting: ['\u21bb', 'odd'],
  'start failed': ['\u25c6', 'odd'],
  failed: ['\u25c6', 'odd'],
  undelivered: ['\u25c6', 'odd'],
  aborted: ['\u2715', 'odd'],
  spawned: ['+', ''],
  started: ['+', ''],
  restarted: ['\u21bb', ''],
  exited: ['\u2212', ''],
  ended: ['\u2212', ''],
};

/** Entry is one event. */
export class Entry {
  constructor(event, withPath) {
    const [symbol, tone] = looks[event.kind] ?? ['\u00b7', ''];
    const at = moment(event.time);
    this.node = h('li', { class: 'event', 'data-seq': event.seq, 'data-kind': event.kind, 'data-id': event.id, 'data-tone': tone },
      h('time', { datetime: event.time, title: date(at) }, clock(at)),
      h('span', { class: 'what' }, h('span', { class: 'symbol', 'aria-hidden': 'true' }, symbol), event.kind),
      h('span', { class: 'who' }, withPath ? h('a', { href: `#/actor/${event.id}` }, event.path || `#${event.id}`) : null,
        event.process >= 0 ? h('span', { class: 'process', title: 'The process of that number' }, ` [${event.process}]`) : null),
      h('span', { class: 'why' }, describe(event)),
      event.stack ? h('details', null, h('summary', null, 'Stack'), h('pre', { tabindex: '0' }, event.stack)) : null);
  }

  draw() {} // an event does not change
}

function describe(event) {
  const parts = [];
  if (event.kind === 'undelivered') parts.push(`${plural(event.count ?? 0, 'message')} of ${event.type ?? 'an unknown type'}`);
  else if (event.count > 0) parts.push(plural(event.count, 'process'));
  if (event.attempt > 0) parts.push(`attempt ${count(event.attempt)}`);
  if (event.delay > 0) parts.push(`in ${duration(event.delay)}`);
  if (event.reason) parts.push(event.reason);
  else if (event.kind === 'exited' || event.kind === 'ended') parts.push('in order');
  return parts.join(', ');
}

export class Events {
  #kinds = new Set();

  constructor(list, kinds, store, view) {
    this.store = store;
    this.view = view;
    this.kinds = kinds;
    this.entries = new Keyed(list, (event) => new Entry(event, true));
    kinds.addEventListener('change', () => view.change({ kind: kinds.value }));
  }

  draw() {
    this.#offer();
    const found = finder(this.view.search);
    const fits = (event) => (this.view.kind === '' || event.kind === this.view.kind) &&
      found(`${event.path} #${event.id} ${event.kind} ${event.reason ?? ''} ${event.type ?? ''}`);
    const all = this.store.events;
    const fitting = all.filter(fits);
    this.entries.draw(fitting.slice(-SHOWN).reverse(), (event) => event.seq);
    const numbers = all.map((event) => event.seq); // not always in order
    const missed = all.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1 - all.length;
    return (fitting.length > SHOWN ? `the last ${SHOWN} of ${plural(fitting.length, 'event')}` : plural(fitting.length, 'event')) +
      (missed === 0 ? '' : `; ${count(missed)} between them came too fast to be kept`);
  }

  // offer lists the kinds that there are, and the one that is asked for.
  #offer() {
    const kinds = new Set(this.store.events.map((event) => event.kind));
    if (this.view.kind !== '') kinds.add(this.view.kind);
    for (const kind of kinds) {
      if (this.#kinds.has(kind)) continue;
      this.#kinds.add(kind);
      const after = [...this.kinds.options].find((option) => option.value > kind) ?? null;
      this.kinds.insertBefore(h('option', { value: kind }, kind), after);
    }
    if (this.kinds.value !== this.view.kind) this.kinds.value = this.view.kind;
  }
}

/** Latest are the last few events of one actor. */
export class Latest {
  #shown = '';

  constructor(store) {
    this.store = store;
    this.list = h('ol', { class: 'latest' });
    this.node = this.list;
    this.entries = new Keyed(this.list, (event) => new Entry(event, false));
  }

  draw(id, n) {
    const own = this.store.events.filter((event) => event.id === id).slice(-n).reverse();
    const shown = own.map((event) => event.seq).join();
    if (shown === this.#shown) return own.length;
    this.#shown = shown;
    this.entries.draw(own, (event) => event.seq);
    return own.length;
  }
}
