// The page of package observer: what connects the parts.
//
//   stream.js   the connection to the server        store.js   what the server told
//   table.js    the table      tree.js    the tree    columns.js what they share
//   detail.js   one actor      charts.js  its charts  actions.js halt, abort, restart
//   graph.js    who waits      layout.js  where it stands
//   events.js   the event log  totals.js  the header's numbers
//   state.js, spark.js, format.js, history.js, dom.js   small parts of these
//
// The address says what is shown: #/tree, #/table, #/graph, #/events, #/actor/ID,
// with ?q=SEARCH, ?sort=COLUMN&up=1&top=N, ?kind=KIND.
//
// What tests, scripts and users' style sheets may rely on:
//   #status[data-state]     connecting, live, reconnecting, disconnected
//   html[data-theme]        light, dark, or missing: as the system's
//   #totals [data-total=KEY] .value
//   nav a[data-view=VIEW]   aria-current="page" is the view that is shown
//   #search #top #sort #pause #theme #keys #fold #unfold #kinds #count #said
//   #tree tr[data-id]       aria-level, aria-expanded; td[data-column=KEY]; tr.more
//   #actors tbody tr[data-id], th[data-column=KEY][aria-sort] button
//   tr[data-state=STATE]    the state as in the JSON; tr[data-deadlock]; tr[data-open]:
//                           #detail shows it
//   #detail                 [data-part=NAME], [data-field=LABEL] dd, .chart canvas,
//                           [data-part=panic] .value and .stack, [data-action=VERB]
//   #confirm                the dialog that asks before an action
//   #events li[data-seq][data-kind][data-id], details pre
//   #graph .node[data-id], .edge[data-from][data-to], both .cycle in a deadlock; #waits
//   #deadlocks p            the text of each deadlock

import { arrange, h, setAttribute, setHidden, setText } from './dom.js';
import { age, clock, moment, plural } from './format.js';
import { columns } from './columns.js';
import { follow } from './stream.js';
import { SCHEMA, Store } from './store.js';
import { Totals } from './totals.js';
import { Tree } from './tree.js';
import { Table } from './table.js';
import { Graph } from './graph.js';
import { Events } from './events.js';
import { Detail } from './detail.js';

const $ = (id) => document.getElementById(id);

const store = new Store();

// What the user has chosen.
const view = {
  name: 'tree',
  actor: 0,
  search: '',
  sort: 'rate',
  up: false,
  top: 50,
  kind: '',
  paused: false,

  change(choice) {
    Object.assign(this, choice);
    history.replaceState(null, '', address());
    draw();
    setText($('said'), $('count').textContent); // to a screen reader: not each time that a number changes by itself
  },
};

const parts = {
  totals: new Totals($('totals'), store),
  tree: new Tree($('tree'), store, view),
  table: new Table($('actors'), store, view),
  graph: new Graph($('graph'), store),
  events: new Events($('events'), $('kinds'), store, view),
  detail: new Detail($('detail'), store),
};

// The address

function address() {
  const query = new URLSearchParams();
  if (view.search !== '') query.set('q', view.search);
  if (view.name === 'table') {
    query.set('sort', view.sort);
    if (view.up) query.set('up', '1');
    if (view.top !== 50) query.set('top', view.top);
  }
  if (view.name === 'events' && view.kind !== '') query.set('kind', view.kind);
  const text = query.toString();
  return `#/${view.actor === 0 ? view.name : `actor/${view.actor}`}${text === '' ? '' : `?${text}`}`;
}

function route() {
  if (location.hash !== '' && !location.hash.startsWith('#/')) return; // the link that skips to the actors
  const [path, query] = location.hash.slice(2).split('?');
  const [name, id] = path.split('/');
  const asked = new URLSearchParams(query ?? '');
  const before = view.actor;
  view.actor = name === 'actor' ? Number(id) || 0 : 0;
  if (name in views) view.name = name;
  if (asked.has('q') || (view.actor === 0 && name !== 'back' && query === undefined)) view.search = asked.get('q') ?? view.search;
  if (columns.some((column) => column.key === asked.get('sort'))) {
    view.sort = asked.get('sort');
    view.up = asked.get('up') === '1';
  }
  if (Number(asked.get('top')) > 0) view.top = Math.min(300, Number(asked.get('top')));
  view.kind = asked.get('kind') ?? (name === 'events' ? '' : view.kind);
  if (name === 'back') history.replaceState(null, '', address());
  show();
  if (view.actor !== 0 && view.actor !== before) $('detail').focus({ preventScroll: true });
  // This comes a moment after the key: who searches by then stays there.
  if (view.actor === 0 && before !== 0 && document.activeElement !== $('search')) focusRow(before);
}

// focusRow brings who closes the detail view back to where it was opened.
function focusRow(id) {
  const row = document.querySelector(`.list > section:not([hidden]) tr[data-id="${id}"]`);
  (row?.hasAttribute('tabindex') ? row : row?.querySelector('a'))?.focus({ preventScroll: true });
}

const views = { tree: parts.tree, table: parts.table, graph: parts.graph, events: parts.events };

// show brings the page into the form that the choices ask for.
function show() {
  document.body.dataset.view = view.name;
  document.body.dataset.detail = String(view.actor !== 0);
  for (const section of document.querySelectorAll('.list > section')) setHidden(section, section.dataset.view !== view.name);
  for (const link of document.querySelectorAll('nav a')) setAttribute(link, 'aria-current', link.dataset.view === view.name ? 'page' : null);
  parts.detail.show(view.actor);
  draw();
}

// Drawing

let drawn = 0; // when

function draw() {
  drawn = performance.now();
  if ($('search').value !== view.search) $('search').value = view.search;
  $('sort').value = view.sort;
  if ($('top').value !== String(view.top)) $('top').value = String(view.top);
  if (store.program === null) return;
  parts.totals.draw();
  const counted = views[view.name].draw();
  setText($('count'), counted);
  for (const row of document.querySelectorAll('.list > section:not([hidden]) tr[data-id]')) setAttribute(row, 'data-open', row.dataset.id === String(view.actor));
  parts.detail.draw();
  drawProgram();
  drawDeadlocks();
  drawEmpty();
}

function drawProgram() {
  const { name, pid, host, go, procs, started } = store.program;
  setText($('program'), name);
  setText($('process'), `pid ${pid} on ${host}, ${go}, ${plural(procs, 'core')}, up ${age(store.now - moment(started))}`);
}

// The title is what is seen of a tab that is in the background.
function drawTitle() {
  const trouble = store.deadlocks.length > 0 || store.totals.stuck > 0 ? '\u25b2 ' : '';
  const title = `${trouble}${store.program.name} \u2013 actors`;
  if (document.title !== title) document.title = title;
}

// Screen readers tell what is new in it, so it must not change without need.
function drawDeadlocks() {
  const texts = store.deadlocks.map((deadlock) => deadlock.text);
  const region = $('deadlocks');
  if (region.dataset.of === texts.join('\n')) return;
  region.dataset.of = texts.join('\n');
  arrange(region, texts.slice(0, 3).map((text) => h('p', null, h('strong', null, '\u25b2 Deadlock: '), text, ' ', h('a', { href: '#/graph' }, 'Look'))));
  if (texts.length > 3) region.append(h('p', null, `and ${texts.length - 3} more`));
}

function drawEmpty() {
  const text = view.name === 'graph' ? ''
    : view.name === 'events' ? ($('events').firstChild ? '' : 'No such event is kept.')
    : store.actors.size === 0 ? 'No actors yet: those are seen that are spawned below the context that Watch returns.'
    : view.search !== '' && $('count').textContent.startsWith('0 ') ? 'No actor fits the search.' : '';
  setText($('empty'), text);
  setHidden($('empty'), text === '');
}

// What comes from the server

let connection = { state: 'connecting' };
let unknown = false; // the server speaks another version of the schema

const handlers = {
  snapshot(data) {
    unknown = data.schema !== SCHEMA;
    if (!unknown && !store.snapshot(data)) parts.detail.close(); // another program, in which the same id is another actor
    update();
  },
  delta(data) {
    if (!unknown) store.delta(data);
    update();
  },
  lost() {
    store.lost();
  },
  state(state, why, at) {
    connection = { state, why, at };
    tell();
  },
};

function update() {
  if (unknown) return tell();
  drawTitle();
  if (!view.paused && !document.hidden) draw();
  tell();
}

function tell() {
  const { state, why, at } = connection;
  const status = $('status');
  setAttribute(status, 'data-state', state);
  document.body.dataset.connection = state;
  setText(status, state === 'reconnecting' ? 'disconnected \u2013 reconnecting'
    : unknown && state === 'live' ? 'live, but the server is of another version: reload the page'
    : why ? `${state}: ${why}` : state);
  const parts = [];
  if (store.lastLook > 0) parts.push(state === 'live' ? clock(store.lastLook) : `last look ${clock(store.lastLook)}, ${age(store.silence)} ago`);
  if (state === 'disconnected' && at > Date.now()) parts.push(`next try in ${Math.ceil((at - Date.now()) / 1000)} s`);
  setText($('last'), parts.join(', '));
}

// Ages grow also when the server looks less often, or is away.
setInterval(() => {
  if (store.program === null) return tell();
  tell();
  if (connection.state === 'live' && !view.paused && !document.hidden && performance.now() - drawn > 950) draw();
}, 1000);

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !view.paused) draw();
});

// What the user does

for (const column of columns) $('sort').append(h('option', { value: column.key }, column.label));
$('sort').addEventListener('change', () => view.change({ sort: $('sort').value, up: columns.find((c) => c.key === $('sort').value).up ?? false }));
$('top').addEventListener('change', () => view.change({ top: Number($('top').value) }));
$('search').addEventListener('input', () => view.change({ search: $('search').value }));
$('fold').addEventListener('click', () => parts.tree.fold('fold'));
$('unfold').addEventListener('click', () => parts.tree.fold('unfold'));
$('pause').addEventListener('click', pause);

function pause() {
  view.paused = !view.paused;
  setAttribute($('pause'), 'aria-pressed', String(view.paused));
  setText($('pause'), view.paused ? 'Go on' : 'Pause');
  document.body.dataset.paused = String(view.paused);
  if (!view.paused) draw();
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $('confirm').open) return;
  const typing = event.target.matches('input, select, textarea');
  if (event.key === 'Escape') {
    if (event.target === $('search') && view.search !== '') view.change({ search: '' });
    else if (view.actor !== 0) location.hash = '#/back';
    else event.target.blur();
  } else if (typing || !$('keys').checked) {
    return;
  } else if (event.key === '/') {
    event.preventDefault();
    $('search').focus();
    $('search').select();
  } else if (event.key === 'p') {
    pause();
  }
});

// Storage can be forbidden; what was chosen then holds until the page is closed.

function recalled(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // see above
  }
}

// Keys without a modifier can be switched off: whoever talks to the computer types them by chance.

function drawKeys() {
  setAttribute($('search'), 'aria-keyshortcuts', $('keys').checked ? '/' : null);
}

$('keys').checked = recalled('keys') !== 'off';
$('keys').addEventListener('change', () => {
  remember('keys', $('keys').checked ? '' : 'off');
  drawKeys();
});
drawKeys();

// A click anywhere in a row of the table opens the actor, but not one that selects text.
$('actors').tBodies[0].addEventListener('click', (event) => {
  const row = event.target.closest('tr');
  if (row && !event.target.closest('a') && getSelection().isCollapsed) location.hash = `#/actor/${row.dataset.id}`;
});

// The theme: the system's, or the other one; theme.js remembers.

const root = document.documentElement;
const systemsDark = matchMedia('(prefers-color-scheme: dark)');
const themes = ['', 'light', 'dark'];

function drawTheme() {
  setText($('theme'), `Theme: ${root.dataset.theme ?? 'auto'}`);
  parts.detail.repaint();
}

$('theme').addEventListener('click', () => {
  const next = themes[(themes.indexOf(root.dataset.theme ?? '') + 1) % themes.length];
  if (next === '') delete root.dataset.theme;
  else root.dataset.theme = next;
  remember('theme', next);
  drawTheme();
});
systemsDark.addEventListener('change', drawTheme);

drawTheme();
addEventListener('hashchange', route);
route();
follow('stream', handlers);
