// The table: the top of all actors, by any column.

import { h, Keyed, setAttribute } from './dom.js';
import { columns, matcher, Row } from './columns.js';
import { plural } from './format.js';

export class Table {
  constructor(table, store, view) {
    this.store = store;
    this.view = view; // search, sort, up, top: see app.js
    this.headings = columns.map((column) =>
      h('th', { scope: 'col', 'data-column': column.key, 'data-rank': column.rank },
        h('button', { type: 'button', title: column.title ?? null, onclick: () => this.sort(column) }, column.label)));
    table.tHead.append(h('tr', null, ...this.headings));
    this.rows = new Keyed(table.tBodies[0], (actor) => {
      const row = new Row(columns, { 'data-id': actor.id });
      return { node: row.node, draw: (a) => row.draw(a, store) };
    });
  }

  /** sort by a column, or if it is already, the other way round. */
  sort(column) {
    this.view.change(this.view.sort === column.key ? { up: !this.view.up } : { sort: column.key, up: column.up ?? false });
  }

  draw() {
    const column = columns.find((c) => c.key === this.view.sort) ?? columns[0];
    for (const heading of this.headings) {
      const sorted = heading.dataset.column === column.key;
      setAttribute(heading, 'aria-sort', sorted ? (this.view.up ? 'ascending' : 'descending') : null);
    }
    const found = [...this.store.actors.values()].filter(matcher(this.view.search, this.store));
    const shown = top(found, column, this.view.up, this.view.top, this.store);
    this.rows.draw(shown, (actor) => actor.id);
    return shown.length < found.length
      ? `top ${shown.length} of ${plural(found.length, 'actor')}`
      : plural(found.length, 'actor');
  }
}

// top is the first n in the order of a column; equal ones stand as they came to be.
function top(actors, column, up, n, store) {
  const keyed = actors.map((actor) => ({ actor, value: column.value(actor, store) }));
  const sign = up ? 1 : -1;
  keyed.sort((a, b) => (a.value < b.value ? -sign : a.value > b.value ? sign : a.actor.id - b.actor.id));
  return keyed.slice(0, n).map(({ actor }) => actor);
}
