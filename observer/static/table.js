// The table: the top of all actors, by any column.

import { h, setAttribute } from './dom.js';
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
    this.body = table.tBodies[0];
    this.rows = []; // by their places: to move rows would cost more than to write into them
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
    this.#write(shown);
    return shown.length < found.length
      ? `top ${shown.length} of ${plural(found.length, 'actor')}`
      : plural(found.length, 'actor');
  }

  // write keeps the focus on the actor that has it, which may get another row.
  #write(actors) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest('tr').dataset.id : null;
    for (const row of this.rows.splice(actors.length)) row.node.remove();
    for (const [i, actor] of actors.entries()) {
      if (i === this.rows.length) {
        this.rows.push(new Row(columns, {}));
        this.body.append(this.rows[i].node);
      }
      this.rows[i].draw(actor, this.store);
    }
    if (focused !== null) this.body.querySelector(`[data-id="${focused}"] a`)?.focus({ preventScroll: true });
  }
}

// top is the first n in the order of a column; equal ones stand as they came to
// be. Of thousands, nearly all are passed over at the first comparison.
function top(actors, column, up, n, store) {
  const first = [];
  const values = [];
  for (const actor of actors) {
    const value = column.value(actor, store);
    const before = up ? (other) => value < other : (other) => value > other;
    if (first.length === n && !before(values[n - 1])) continue;
    let low = 0;
    let high = first.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(values[middle])) high = middle;
      else low = middle + 1;
    }
    first.splice(low, 0, actor);
    values.splice(low, 0, value);
    first.length = values.length = Math.min(n, first.length);
  }
  return first;
}
