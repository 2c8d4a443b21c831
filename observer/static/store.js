// What the server has told: the last snapshot, kept up to date by deltas, and
// what was before. Nothing here touches the page.

import { History } from './history.js';
import { moment } from './format.js';

export const SCHEMA = 1;
const EVENTS = 2000; // so many are kept
const ENDED = 200; // so many actors that have ended are remembered
const SAMPLES = 1_500_000; // of all histories together, about

const none = { actors: 0, processes: 0, busy: 0, length: 0, accepted: 0, received: 0, undelivered: 0, waiting: 0, restarts: 0, panics: 0, stuck: 0, rate: { accepted: 0, received: 0, undelivered: 0 } };

export class Store {
  program = null;
  totals = none;
  actions = false;
  actors = new Map(); // by id, in the order of ids
  waits = [];
  deadlocks = [];
  events = []; // oldest first
  deadlocked = new Set(); // ids
  totalsHistory = new History('rate', 'length');
  #histories = new Map();
  #gone = new Map(); // the last that is known of those that have ended
  #tree = null;
  #received = 0; // performance.now() when the last message came
  #time = 0; // what the server's clock said then

  /** snapshot replaces everything. If it is the same program as before, which it returns, histories go on. */
  snapshot(data) {
    const same = this.program !== null && this.program.pid === data.program.pid &&
      this.program.host === data.program.host && this.program.started === data.program.started;
    if (!same) {
      this.#histories.clear();
      this.#gone.clear();
      this.totalsHistory = new History('rate', 'length');
    }
    this.actions = data.actions;
    this.actors.clear();
    this.events = [];
    this.#take(data);
    for (const id of [...this.#histories.keys()]) if (!this.actors.has(id)) this.#histories.delete(id);
    return same;
  }

  /** delta takes what has changed since the message before. */
  delta(data) {
    for (const id of data.gone ?? []) {
      const actor = this.actors.get(id);
      if (actor === undefined) continue;
      this.actors.delete(id);
      this.#bury(actor);
    }
    this.#take(data);
  }

  #take(data) {
    const before = this.#time / 1000;
    this.#time = moment(data.time) ?? Date.now();
    this.#received = performance.now();
    const now = this.#time / 1000;
    this.program = data.program;
    this.totals = data.totals;
    const samples = Math.min(1800, Math.max(100, SAMPLES / (this.actors.size + 1)));
    for (const actor of data.actors ?? []) {
      this.actors.set(actor.id, actor);
      let history = this.#histories.get(actor.id);
      if (history === undefined) this.#histories.set(actor.id, (history = new History('received', 'accepted', 'length')));
      history.push(now, before, actor.rate.received, actor.rate.accepted, actor.queue.length);
      history.limit(samples);
    }
    this.totalsHistory.push(now, before, data.totals.rate.received, data.totals.length);
    this.totalsHistory.limit(1800);
    this.waits = data.waits ?? [];
    this.deadlocks = data.deadlocks ?? [];
    this.deadlocked = new Set(this.deadlocks.flatMap((deadlock) => deadlock.actors));
    this.events.push(...(data.events ?? []));
    const last = Math.max(0, ...(data.events ?? []).map((event) => event.seq));
    if (this.events.length > EVENTS) this.events = this.events.filter((event) => event.seq > last - EVENTS);
    this.#tree = null;
  }

  /** lost says that the connection is: what comes next is not the continuation. */
  lost() {
    const last = this.#time / 1000;
    this.totalsHistory.push(last + 0.001, last, null, null);
    for (const history of this.#histories.values()) history.push(last + 0.001, last, null, null, null);
  }

  #bury(actor) {
    this.#gone.set(actor.id, actor);
    if (this.#gone.size <= ENDED) return;
    const [oldest] = this.#gone.keys();
    this.#gone.delete(oldest);
    this.#histories.delete(oldest);
  }

  history(id) {
    return this.#histories.get(id);
  }

  /** ended is the last that is known of an actor that has ended a short while ago. */
  ended(id) {
    return this.#gone.get(id);
  }

  /** lastLook is the server's time of the last message in milliseconds, 0 before the first. */
  get lastLook() {
    return this.#time;
  }

  /** silence is how many milliseconds ago the last message came, by a clock that only goes forward. */
  get silence() {
    return performance.now() - this.#received;
  }

  /** now is the server's time, as far as a message may be late; what happened after it is unknown. */
  get now() {
    return this.#time + Math.min(this.silence, 15_000);
  }

  byPath(path) {
    for (const actor of this.actors.values()) if (actor.path === path) return actor;
    return undefined;
  }

  /** children of an actor, or of 0: those without a parent that is known. */
  children(id) {
    this.#tree ??= treeOf(this.actors);
    return this.#tree.get(id) ?? [];
  }
}

function treeOf(actors) {
  const tree = new Map();
  for (const actor of actors.values()) {
    const parent = actors.has(actor.parent) ? actor.parent : 0;
    const children = tree.get(parent);
    if (children === undefined) tree.set(parent, [actor]);
    else children.push(actor);
  }
  return tree;
}
