// The columns that the table and the tree have in common. A column has
//   key     what the address calls it, and tests: td[data-column=key]
//   label   its heading, and title, which says more
//   rank    when space gets short, those with higher ranks go first
//   value   what it is sorted by, down unless up is set
//   cell    makes what is in a cell: an object with node and draw(actor, store)

import { h, setAttribute, setText } from './dom.js';
import { age, count, duration, moment, rate } from './format.js';
import { Spark } from './spark.js';
import { State, severityOf } from './state.js';

/** A text that says nothing, as 0, is pale. */
class Text {
  constructor(text) {
    this.text = text;
    this.node = h('span');
  }

  draw(actor, store) {
    const text = this.text(actor, store);
    setText(this.node, text);
    setAttribute(this.node, 'class', text === '0' || text === '' ? 'nothing' : null);
  }
}

const text = (of) => () => new Text(of);

/** A number, and how it was in the last minute. */
class Trend {
  constructor(number, name, field) {
    this.number = new Text(number);
    this.spark = new Spark(name);
    this.field = field;
    this.node = h('span', { class: 'trend' }, this.spark.node, this.number.node);
  }

  draw(actor, store) {
    this.number.draw(actor, store);
    this.spark.draw(store.history(actor.id), this.field, store.now / 1000);
  }
}

/** Name is a link to the detail view, after the path that leads there. */
export class Name {
  constructor(whole, focusable = true) {
    this.whole = whole;
    this.above = h('span', { class: 'above' });
    this.own = h('span', { class: 'own' });
    this.node = h('a', { class: 'name', tabindex: focusable ? null : '-1' }, this.above, this.own);
  }

  draw(actor) {
    setAttribute(this.node, 'href', `#/actor/${actor.id}`);
    setAttribute(this.node, 'title', actor.path);
    const own = nameOf(actor);
    setText(this.above, this.whole && actor.path.endsWith(own) ? actor.path.slice(0, -own.length) : '');
    setText(this.own, own);
  }
}

/** nameOf is the name, which may have slashes in it, or #id. */
export const nameOf = (actor) => (actor.name.trim() === '' ? `#${actor.id}` : actor.name);

const latency = (ns, of) => (of.count === 0 ? '' : duration(ns));

export const columns = [
  { key: 'name', label: 'Actor', title: 'Path: the names from the root on', rank: 0, up: true, value: (a) => a.path, cell: () => new Name(true) },
  { key: 'state', label: 'State', rank: 0, value: severityOf, cell: () => new State() },
  { key: 'rate', label: 'Rate', title: 'Messages received per second, and the last minute', rank: 0, value: (a) => a.rate.received, cell: () => new Trend((a) => rate(a.rate.received), 'rate', 'received') },
  { key: 'queue', label: 'Queue', title: 'Messages in the inbox, and the last minute', rank: 0, value: (a) => a.queue.length, cell: () => new Trend((a) => count(a.queue.length), 'length', 'length') },
  { key: 'high', label: 'High', title: 'The longest that the queue was seen, of its limit', rank: 4, value: (a) => a.queue.high, cell: text((a) => count(a.queue.high) + (a.queue.limit > 0 ? ` / ${count(a.queue.limit)}` : '')) },
  { key: 'queued', label: 'Queued', title: 'Time in the queue: 99 of 100 messages were faster', rank: 4, value: (a) => a.inQueue.p99, cell: text((a) => latency(a.inQueue.p99, a.inQueue)) },
  { key: 'median', label: 'Half', title: 'Handling time: half of the messages were faster', rank: 6, value: (a) => a.handling.p50, cell: text((a) => latency(a.handling.p50, a.handling)) },
  { key: 'handling', label: 'Handling', title: 'Handling time: 99 of 100 messages were faster', rank: 2, value: (a) => a.handling.p99, cell: text((a) => latency(a.handling.p99, a.handling)) },
  { key: 'hand', label: 'In hand', title: 'Age of the message in hand', rank: 5, value: (a, store) => (a.handSince ? store.now - moment(a.handSince) : -1), cell: text((a, store) => (a.handSince ? age(store.now - moment(a.handSince)) : '')) },
  { key: 'busy', label: 'Busy', title: 'Processes that handle a message, of all', rank: 3, value: (a) => a.processes.busy, cell: text((a) => `${count(a.processes.busy)} / ${count(a.processes.total)}`) },
  { key: 'waiting', label: 'Waiting', title: 'Who waits in Send or Ask for this one', rank: 3, value: (a) => a.waiting?.count ?? 0, cell: text((a) => count(a.waiting?.count ?? 0)) },
  { key: 'restarts', label: 'Restarts', title: 'Restarts by its supervisor', rank: 2, value: (a) => a.restarts.total, cell: text((a) => count(a.restarts.total)) },
  { key: 'undelivered', label: 'Undeliv.', title: 'Messages that nobody received', rank: 5, value: (a) => a.undelivered, cell: text((a) => count(a.undelivered)) },
  { key: 'received', label: 'Received', title: 'Messages received in all', rank: 6, value: (a) => a.received, cell: text((a) => count(a.received)) },
  { key: 'age', label: 'Age', title: 'Since it was spawned', rank: 6, value: (a, store) => store.now - moment(a.since), cell: text((a, store) => age(store.now - moment(a.since))) },
  { key: 'kind', label: 'Kind', rank: 7, up: true, value: (a) => a.kind, cell: text((a) => a.kind) },
  { key: 'message', label: 'Messages', title: 'The type of its messages', rank: 7, up: true, value: (a) => a.message, cell: text((a) => a.message) },
];

/** Row is a row of a table with some of the columns. */
export class Row {
  constructor(shown, attributes, cells = {}) {
    this.cells = shown.map((column) => cells[column.key]?.() ?? column.cell());
    this.node = h('tr', attributes, ...this.cells.map((cell, i) =>
      h('td', { 'data-column': shown[i].key, 'data-rank': shown[i].rank, role: attributes.role === 'row' ? 'gridcell' : null }, cell.node)));
  }

  draw(actor, store) {
    setAttribute(this.node, 'data-id', actor.id);
    setAttribute(this.node, 'data-state', actor.state);
    setAttribute(this.node, 'data-deadlock', store.deadlocked.has(actor.id));
    for (const cell of this.cells) cell.draw(actor, store);
  }
}

/** finder is a predicate of texts: all words of a query occur. #1 is not found in #12. */
export function finder(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    .map((word) => (/^#\d+$/.test(word) ? new RegExp(`${word}(?!\\d)`) : word));
  return (text) => {
    const hay = text.toLowerCase();
    return words.every((word) => (typeof word === 'string' ? hay.includes(word) : word.test(hay)));
  };
}

/** matcher is one of actors: the words are of the path, type, kind or state. */
export function matcher(query, store) {
  if (query.trim() === '') return () => true;
  const found = finder(query);
  return (actor) => {
    const knot = store.deadlocked.has(actor.id) ? ' deadlock' : '';
    return found(`${actor.path} ${actor.name} ${actor.message} ${actor.kind} ${actor.state}${knot} #${actor.id}`);
  };
}
