// The detail view of one actor.

import { arrange, h, setAttribute, setHidden, setText } from './dom.js';
import { age, clock, count, date, duration, moment, plural, rate } from './format.js';
import { nameOf } from './columns.js';
import { State } from './state.js';
import { Chart } from './charts.js';
import { Latest } from './events.js';
import { Actions } from './actions.js';

const EVENTS = 12; // so many of an actor's events are shown

export class Detail {
  #parts = null; // of the actor that is shown
  id = 0;

  constructor(parent, store) {
    this.parent = parent;
    this.store = store;
  }

  /** show builds the view of an actor; 0 is none. */
  show(id) {
    if (id === this.id) return;
    this.close();
    this.id = id;
    setHidden(this.parent, id === 0);
    if (id !== 0) this.draw();
  }

  close() {
    for (const chart of this.#parts?.charts ?? []) chart.close();
    this.#parts = null;
    this.parent.replaceChildren();
  }

  repaint() {
    for (const chart of this.#parts?.charts ?? []) chart.repaint();
  }

  draw() {
    if (this.id === 0) return;
    const actor = this.store.actors.get(this.id);
    const last = actor ?? this.store.ended(this.id);
    if (last === undefined) {
      if (this.#parts !== null || this.parent.firstChild === null) {
        this.close();
        this.parent.append(h('div', { class: 'head' }, h('h2', null, `#${this.id}`), closing()),
          h('p', { class: 'note' }, this.store.lastLook === 0 ? 'Not connected yet.' : 'There is no such actor: it has ended, or never was.'));
      }
      return;
    }
    if (this.#parts === null) {
      this.parent.replaceChildren();
      this.#parts = new Parts(this.parent, last, this.store);
    }
    this.#parts.draw(last, actor === undefined);
  }
}

const closing = () => h('a', { class: 'close button', href: '#/back', 'aria-keyshortcuts': 'Escape', title: 'Back to the list (Esc)' }, 'Close');

/** Fields is a list of terms with texts that are kept up to date. Empty ones are hidden. */
class Fields {
  constructor(fields) {
    this.fields = Object.entries(fields).map(([label, text]) => {
      const value = h('dd');
      return { text, value, node: h('div', { 'data-field': label.toLowerCase() }, h('dt', null, label), value) };
    });
    this.node = h('dl', { class: 'fields' }, ...this.fields.map((field) => field.node));
  }

  draw(actor) {
    for (const { text, value, node } of this.fields) {
      const now = text(actor);
      setHidden(node, now === '');
      setText(value, now);
    }
  }
}

class Parts {
  constructor(parent, actor, store) {
    this.store = store;
    this.path = h('p', { class: 'path' });
    this.state = new State();
    this.ended = h('p', { class: 'note warn', role: 'status', hidden: true }, 'This actor has ended. What follows is the last that is known of it.');
    this.actions = store.actions ? new Actions(actor) : null;
    this.charts = [
      new Chart('Messages per second', [{ name: 'received', label: 'received' }, { name: 'accepted', label: 'accepted' }], rate),
      new Chart('Queue', [{ name: 'length', label: 'length' }], count),
    ];
    this.facts = new Fields(facts(store));
    this.messages = h('tbody');
    this.latencies = h('tbody');
    this.exit = new Section('Last exit', 'exit');
    this.panic = new Section('Last panic', 'panic');
    this.waiting = new Section('Who waits for it', 'waiting');
    this.waits = new Section('What it waits for', 'waits');
    this.family = new Section('Family', 'family');
    this.latest = new Latest(store);
    this.more = h('a', null, 'All its events');
    this.dump = new Dump(actor.id);

    parent.append(
      h('div', { class: 'head' }, h('h2', { title: actor.path }, nameOf(actor)), this.state.node, closing()),
      this.path,
      this.ended,
      ...(this.actions ? [this.actions.node] : []),
      ...this.charts.map((chart) => chart.node),
      this.panic.node, this.waits.node, this.waiting.node,
      this.facts.node,
      numbers('Messages', ['accepted', 'received', 'undelivered', 'in queue'], this.messages),
      numbers('Times', ['count', 'mean', 'half', '95 %', '99 %', 'max'], this.latencies),
      this.exit.node,
      this.family.node,
      h('section', { class: 'part', 'data-part': 'events' }, h('h3', null, 'Events'), this.latest.node, h('p', null, this.more)),
      this.dump.node,
    );
  }

  draw(actor, ended) {
    const { store } = this;
    this.state.draw(actor, store, ended);
    setHidden(this.ended, !ended);
    this.actions?.draw(ended);
    this.#drawPath(actor);
    for (const chart of this.charts) chart.draw(store.history(actor.id), store.now / 1000);
    this.facts.draw(actor);
    cells(this.messages, 'total', [actor.accepted, actor.received, actor.undelivered, actor.queue.length].map(count));
    cells(this.messages, 'now', [...[actor.rate.accepted, actor.rate.received, actor.rate.undelivered].map(rate), '']);
    cells(this.latencies, 'in queue', times(actor.inQueue));
    cells(this.latencies, 'handling', times(actor.handling));
    this.#drawExit(actor);
    this.#drawPanic(actor);
    this.#drawWaits(actor);
    this.#drawFamily(actor);
    const n = this.latest.draw(actor.id, EVENTS);
    setText(this.more, n === 0 ? 'No events are kept; look at all' : 'All its events');
    setAttribute(this.more, 'href', `#/events?q=${encodeURIComponent(`#${actor.id}`)}`);
    this.dump.draw(ended);
  }

  // The path, with links to those above.
  #drawPath(actor) {
    if (this.path.dataset.of === actor.path) return;
    this.path.dataset.of = actor.path;
    const above = [];
    for (let a = this.store.actors.get(actor.parent); a !== undefined; a = this.store.actors.get(a.parent)) above.unshift(link(a), ' / ');
    this.path.replaceChildren(...above, nameOf(actor));
  }

  #drawExit({ exit }) {
    this.exit.draw(exit, (e) => [
      h('p', null, `${date(moment(e.time))}, process ${e.process}`),
      h('p', { class: e.reason ? 'reason' : null }, e.reason || 'in order'),
    ]);
  }

  #drawPanic({ panic }) {
    this.panic.draw(panic, (p) => [
      h('p', null, `${date(moment(p.time))}, process ${p.process}`),
      h('p', { class: 'reason value' }, p.value),
      h('details', { open: true }, h('summary', null, 'Stack'), h('pre', { class: 'stack', tabindex: '0' }, p.stack)),
    ]);
  }

  #drawWaits(actor) {
    const { store } = this;
    const told = (ms) => age(store.now - ms);
    const waiting = actor.waiting && { count: actor.waiting.count, from: actor.waiting.from ?? [], told: told(moment(actor.waiting.since)) };
    this.waiting.draw(waiting, (w) => [
      h('p', null, `${plural(w.count, 'goroutine')}, the longest for ${w.told}`),
      h('ul', null, ...w.from.map((path) => h('li', null, link(store.byPath(path)) ?? path)), w.count > w.from.length ? h('li', null, `and ${count(w.count - w.from.length)} more`) : null),
    ]);
    const own = store.waits.filter((wait) => wait.from === actor.id).map((wait) => ({ ...wait, told: told(moment(wait.since)) }));
    this.waits.draw(own.length > 0 ? own.slice(0, 8) : null, (list) => [
      h('ul', null, ...list.map((w) => h('li', null, `process ${w.process}: for ${w.for === 'room' ? 'room in' : 'an answer of'} `, link(store.actors.get(w.to)) ?? `#${w.to}`, `, for ${w.told}`))),
    ]);
  }

  #drawFamily(actor) {
    const parent = this.store.actors.get(actor.parent);
    const children = this.store.children(actor.id);
    const shown = children.slice(0, 24);
    const key = parent || children.length > 0 ? { parent: parent?.id, children: children.length, shown: shown.map((a) => a.id) } : null;
    this.family.draw(key, () => [
      parent ? h('p', null, 'Parent: ', link(parent)) : null,
      children.length > 0 ? h('p', { class: 'children' }, 'Children: ', ...shown.flatMap((child, i) => [i > 0 ? ', ' : null, link(child)]),
        children.length > shown.length ? ` and ${count(children.length - shown.length)} more` : null) : null,
    ]);
  }
}

const link = (actor) => (actor === undefined ? null : h('a', { href: `#/actor/${actor.id}` }, nameOf(actor)));

const facts = (store) => ({
  Id: (a) => String(a.id),
  Kind: (a) => a.kind,
  Strategy: (a) => a.strategy ?? '',
  'Message type': (a) => a.message,
  Since: (a) => `${clock(moment(a.since))}, ${age(store.now - moment(a.since))} ago`,
  Processes: (a) => `${count(a.processes.busy)} busy of ${count(a.processes.total)}` + (a.processes.stuck > 0 ? `, ${count(a.processes.stuck)} stuck` : ''),
  'In hand': (a) => (a.handSince ? `a message for ${age(store.now - moment(a.handSince))}` : ''),
  Queue: (a) => `${count(a.queue.length)} now, ${count(a.queue.high)} at its longest`,
  Capacity: (a) => a.queue.capacity,
  Restarts: restarts(store),
  Panics: (a) => (a.panics > 0 ? count(a.panics) : ''),
});

const restarts = (store) => ({ restarts: r }) => {
  if (r.total === 0 && r.limit === 0 && !r.until) return '';
  const parts = [`${count(r.total)} in all`];
  if (r.period) parts.push(`${count(r.window)} within ${duration(r.period)}; the supervisor allows ${count(r.limit)} to all its children`);
  const until = moment(r.until);
  if (until !== null) parts.push(until > store.now ? `the next in ${duration((until - store.now) * 1e6)}` : 'the next is due');
  return parts.join(', ');
};

const times = (l) => [count(l.count), ...(l.count === 0 ? ['', '', '', '', ''] : [l.sum / l.count, l.p50, l.p95, l.p99, l.max].map(duration))];

function numbers(title, labels, body) {
  return h('section', { class: 'part', 'data-part': title.toLowerCase() }, h('table', { class: 'numbers', 'aria-label': title },
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, title), ...labels.map((label) => h('th', { scope: 'col' }, label)))), body));
}

// cells keeps a row of numbers of that heading.
function cells(body, heading, texts) {
  let row = [...body.rows].find((r) => r.dataset.row === heading);
  if (row === undefined) {
    row = h('tr', { 'data-row': heading }, h('th', { scope: 'row' }, heading), ...texts.map(() => h('td')));
    body.append(row);
  }
  texts.forEach((text, i) => setText(row.cells[i + 1], text));
}

/** Section is shown if there is something, and built anew only if that has changed. */
class Section {
  #shown = '';

  constructor(title, name) {
    this.body = h('div');
    this.node = h('section', { class: `part ${name}`, 'data-part': name, hidden: true }, h('h3', null, title), this.body);
  }

  draw(what, make) {
    setHidden(this.node, !what);
    const shown = what ? JSON.stringify(what) : '';
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    arrange(this.body, what ? make(what).filter(Boolean) : []);
    if (focused !== null) this.body.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
  }
}

/** Dump fetches where the processes are, on demand. */
class Dump {
  constructor(id) {
    this.id = id;
    this.button = h('button', { type: 'button', onclick: () => this.#fetch() }, 'Show goroutines');
    this.note = h('span', { class: 'result', role: 'status' });
    this.text = h('pre', { class: 'stack', tabindex: '0', hidden: true });
    this.node = h('section', { class: 'part', 'data-part': 'goroutines' }, h('h3', null, 'Goroutines'),
      h('p', null, this.button, ' ', this.note), this.text);
  }

  draw(ended) {
    this.button.disabled = ended;
  }

  async #fetch() {
    setText(this.note, 'asking\u2026');
    try {
      const response = await fetch(`actors/${this.id}/stack`, { cache: 'no-store' });
      const text = await response.text();
      if (response.ok) {
        this.text.textContent = text.trimEnd();
        this.text.hidden = false;
        setText(this.note, `at ${clock(Date.now())}`);
      } else {
        const again = response.headers.get('Retry-After');
        setText(this.note, text.trim() + (again ? ` Try again in ${again} s.` : ''));
      }
    } catch {
      setText(this.note, 'The server does not answer.');
    }
  }
}
