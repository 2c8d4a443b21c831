// How an actor's state is shown: always as a symbol and a word, so that nobody
// has to tell colours apart.

import { h, setAttribute, setText } from './dom.js';

const symbols = {
  idle: '\u25cb',
  busy: '\u25cf',
  'waiting for room': '\u25d0',
  'waiting for an answer': '\u25d1',
  closed: '\u25d2',
  halted: '\u25a0',
  aborting: '\u2715',
  restarting: '\u21bb',
  stopped: '\u25a1',
  stuck: '\u25b2',
};

// In the order of how much they ask for attention.
const severity = ['idle', 'busy', 'closed', 'halted', 'stopped', 'waiting for an answer', 'waiting for room', 'aborting', 'restarting', 'stuck'];

/** severityOf orders actors by how much they ask for attention. */
export const severityOf = (actor, store) => (store.deadlocked.has(actor.id) ? severity.length : severity.indexOf(actor.state));

/** troubled says whether somebody should look. */
export const troubled = (actor, store) => actor.state === 'stuck' || actor.state === 'restarting' || store.deadlocked.has(actor.id);

export class State {
  constructor() {
    this.symbol = h('span', { class: 'symbol', 'aria-hidden': 'true' });
    this.word = h('span', { class: 'word' });
    this.knot = h('span', { class: 'knot', hidden: true }, 'deadlock');
    this.node = h('span', { class: 'state' }, this.symbol, this.word, this.knot);
  }

  draw(actor, store, ended = false) {
    const state = ended ? 'ended' : actor.state;
    setAttribute(this.node, 'data-state', state);
    setText(this.symbol, symbols[state] ?? '\u00b7');
    setText(this.word, state);
    setAttribute(this.word, 'title', state);
    this.knot.hidden = ended || !store.deadlocked.has(actor.id);
  }
}
