// The tree: actors below those that own them. It is a treegrid as the ARIA
// Authoring Practices describe it, with the focus on rows.

import { h, Keyed, setAttribute, setHidden, setText } from './dom.js';
import { columns, matcher, Name, Row } from './columns.js';
import { count, plural } from './format.js';
import { troubled } from './state.js';

const MANY = 40; // so many children are shown at first; more on demand
const MOST = 400; // so many rows are shown in all

const shownColumns = columns.filter((column) => !['median', 'received', 'undelivered', 'queued', 'message'].includes(column.key));

export class Tree {
  #folded = new Map(); // what the user has chosen, by id
  #all = null; // 'fold' or 'unfold', if that is what the user has chosen for the rest
  #more = new Map(); // how many children are shown, by id
  #lines = []; // what is shown
  #at = null; // the key of the line with the focus

  constructor(table, store, view) {
    this.store = store;
    this.view = view;
    this.body = table.tBodies[0];
    table.tHead.append(h('tr', { role: 'row' }, ...shownColumns.map((column) =>
      h('th', { scope: 'col', role: 'columnheader', title: column.title ?? null, 'data-column': column.key, 'data-rank': column.rank }, column.label))));
    this.rows = new Keyed(this.body, (line) => (line.actor ? new Line(store) : new More(store)));
    this.body.addEventListener('keydown', (event) => this.#key(event));
    this.body.addEventListener('click', (event) => this.#click(event));
    this.body.addEventListener('focusin', (event) => {
      this.#at = event.target.closest('tr')?.dataset.key ?? null;
      this.#roam();
    });
  }

  fold(what) {
    this.#folded.clear();
    this.#all = what;
    this.draw();
  }

  draw() {
    const found = this.view.search.trim() === '' ? null : this.#find();
    this.#lines = [];
    this.#walk(0, 1, found?.ids);
    this.rows.draw(this.#lines, (line) => line.key);
    this.#roam();
    return plural(found?.hits ?? this.store.actors.size, 'actor');
  }

  // find returns who matches the search, with all above them.
  #find() {
    const matches = matcher(this.view.search, this.store);
    const ids = new Set();
    let hits = 0;
    for (const actor of this.store.actors.values()) {
      if (!matches(actor)) continue;
      hits++;
      for (let a = actor; a !== undefined && !ids.has(a.id); a = this.store.actors.get(a.parent)) ids.add(a.id);
    }
    return { ids, hits };
  }

  #walk(parent, level, found) {
    let children = this.store.children(parent);
    if (found) children = children.filter((actor) => found.has(actor.id));
    const shown = this.#more.get(parent) ?? MANY;
    for (const [i, actor] of children.entries()) {
      if (i === shown || this.#lines.length >= MOST) {
        this.#lines.push({ key: `more ${parent}`, parent, level, rest: children.slice(i), full: this.#lines.length >= MOST });
        return;
      }
      const foldable = this.store.children(actor.id).length > 0;
      const folded = foldable && !found && this.#isFolded(actor);
      this.#lines.push({ key: String(actor.id), actor, parent, level, foldable, folded, place: i + 1, places: children.length });
      if (foldable && !folded) this.#walk(actor.id, level + 1, found);
    }
  }

  #isFolded(actor) {
    const chosen = this.#folded.get(actor.id);
    if (chosen !== undefined) return chosen;
    if (this.#all !== null) return this.#all === 'fold';
    return this.store.children(actor.id).length > MANY;
  }

  #toggle(line, folded = !line.folded) {
    if (!line.foldable || line.folded === folded) return;
    this.#folded.set(line.actor.id, folded);
    this.draw();
  }

  #showMore(line) {
    if (line.full) return;
    this.#more.set(line.parent, (this.#more.get(line.parent) ?? MANY) + 2 * MANY);
    this.draw();
  }

  // roam makes exactly one row reachable by the tab key.
  #roam() {
    if (!this.rows.get(this.#at)) this.#at = this.#lines[0]?.key ?? null;
    for (const line of this.#lines) setAttribute(this.rows.get(line.key).node, 'tabindex', line.key === this.#at ? '0' : '-1');
  }

  #go(index) {
    const line = this.#lines[Math.max(0, Math.min(index, this.#lines.length - 1))];
    if (line) this.rows.get(line.key).node.focus();
  }

  #key(event) {
    const at = this.#lines.findIndex((line) => line.key === this.#at);
    const line = this.#lines[at];
    if (line === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    switch (event.key) {
      case 'ArrowDown': this.#go(at + 1); break;
      case 'ArrowUp': this.#go(at - 1); break;
      case 'PageDown': this.#go(at + 15); break;
      case 'PageUp': this.#go(at - 15); break;
      case 'Home': this.#go(0); break;
      case 'End': this.#go(this.#lines.length - 1); break;
      case 'ArrowRight':
        if (line.foldable && !line.folded) this.#go(at + 1);
        else this.#toggle(line, false);
        break;
      case 'ArrowLeft':
        if (line.foldable && !line.folded && this.view.search.trim() === '') this.#toggle(line, true);
        else if (line.level > 1) this.#go(this.#lines.findIndex((l) => l.actor?.id === line.parent));
        break;
      case 'Enter':
      case ' ':
        if (line.actor) location.hash = `#/actor/${line.actor.id}`;
        else this.#showMore(line);
        break;
      default: return;
    }
    event.preventDefault();
  }

  #click(event) {
    const row = event.target.closest('tr');
    const line = this.#lines.find((l) => l.key === row?.dataset.key);
    if (line === undefined || event.target.closest('a')) return;
    if (!line.actor) this.#showMore(line);
    else if (event.target.closest('.twisty')) this.#toggle(line);
  }
}

/** Line is an actor in the tree. */
class Line {
  constructor(store) {
    this.store = store;
    this.name = new Name(false, false);
    this.twisty = h('span', { class: 'twisty', 'aria-hidden': 'true' });
    this.kind = h('span', { class: 'kind' });
    this.below = h('span', { class: 'below' });
    this.troubles = h('b');
    this.alarm = h('span', { class: 'alarm', hidden: true }, '\u25b2 ', this.troubles, h('span', null, ' in trouble'));
    this.first = { node: h('span', { class: 'branch' }, this.twisty, this.name.node, this.kind, this.below, this.alarm), draw: (actor) => this.name.draw(actor) };
    this.row = new Row(shownColumns, { role: 'row' }, { name: () => this.first });
    this.node = this.row.node;
  }

  draw({ key, actor, level, foldable, folded, place, places }) {
    this.row.draw(actor, this.store);
    this.node.dataset.key = key;
    setAttribute(this.node, 'aria-level', level);
    setAttribute(this.node, 'aria-posinset', place);
    setAttribute(this.node, 'aria-setsize', places);
    setAttribute(this.node, 'aria-expanded', foldable ? String(!folded) : null);
    this.node.style.setProperty('--level', level);
    setText(this.twisty, foldable ? (folded ? '\u25b8' : '\u25be') : '');
    setText(this.kind, actor.strategy ?? (actor.kind === 'pool' ? `pool of ${actor.processes.total}` : ''));
    const sum = folded ? below(actor.id, this.store) : { all: 0, trouble: 0 };
    setText(this.below, sum.all > 0 ? `${count(sum.all)} below` : '');
    setText(this.troubles, count(sum.trouble));
    setHidden(this.alarm, sum.trouble === 0);
  }
}

const below = (id, store) => sumOf(store.children(id), store);

// sumOf counts actors and who is below them, and who of these is in trouble.
function sumOf(actors, store) {
  const sum = { all: 0, trouble: 0 };
  for (const child of actors) {
    const deeper = below(child.id, store);
    sum.all += 1 + deeper.all;
    sum.trouble += (troubled(child, store) ? 1 : 0) + deeper.trouble;
  }
  return sum;
}

/** More stands for children that are not shown. */
class More {
  constructor(store) {
    this.store = store;
    this.text = h('span', { class: 'branch' });
    this.node = h('tr', { role: 'row', class: 'more' }, h('td', { role: 'gridcell', colspan: shownColumns.length }, this.text));
  }

  draw({ key, level, rest, full }) {
    this.node.dataset.key = key;
    setAttribute(this.node, 'aria-level', level);
    this.node.style.setProperty('--level', level);
    const { trouble } = sumOf(rest, this.store);
    setText(this.text, (full ? `${count(rest.length)} more: search, or look at the table` : `${count(rest.length)} more: show some`) +
      (trouble > 0 ? `; \u25b2 ${count(trouble)} in trouble` : ''));
  }
}
