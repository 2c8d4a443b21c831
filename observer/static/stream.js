// The connection. EventSource comes back by itself when a stream ends, but gives
// up when the server answers anything else than a stream: as when it restarts, or
// has too many viewers. Then a new one is made, later and later.

const LONGEST = 15_000; // between two attempts

// What turns the direction of writing around, also of the page's own words behind
// it, is shown as it is written in Go.
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * follow calls on.snapshot and on.delta with what comes, on.lost when the stream
 * is lost, and on.state with 'connecting', 'live', 'reconnecting' or
 * 'disconnected', the reason if there is one, and the time of the next attempt.
 */
export function follow(url, on) {
  let source = null;
  let failures = 0;
  let live = false; // the snapshot is there, with which a stream begins
  let timer = 0;
  let heard = 0; // when something came
  let interval = 1000; // between two messages

  function open() {
    clearTimeout(timer);
    source?.close();
    heard = performance.now();
    source = new EventSource(url);
    source.addEventListener('open', () => (heard = performance.now()));
    source.addEventListener('beat', hear);
    source.addEventListener('snapshot', (event) => {
      failures = 0;
      live = true;
      take(event, on.snapshot);
      on.state('live', '');
    });
    source.addEventListener('delta', (event) => take(event, on.delta));
    source.addEventListener('error', () => {
      lost();
      if (source.readyState === EventSource.CLOSED) again();
      else on.state('reconnecting', '');
    });
  }

  function take(event, handle) {
    hear();
    handle(JSON.parse(event.data.replace(TURNS, (c) => `\\\\u${c.charCodeAt(0).toString(16)}`)));
  }

  function hear() {
    const now = performance.now();
    interval = Math.max(1000, now - heard);
    heard = now;
  }

  function lost() {
    if (live) on.lost();
    live = false;
  }

  async function again() {
    const wait = Math.min(LONGEST, 1000 * 2 ** failures++) * (0.75 + Math.random() / 2);
    timer = setTimeout(open, wait);
    const mine = source;
    const at = Date.now() + wait;
    on.state('disconnected', '', at);
    const why = await reason(url);
    if (mine === source) on.state('disconnected', why, at);
  }

  // A connection can die without an end: a laptop that slept, a proxy that
  // forgot. The server says something every five seconds at least, so silence means
  // that; but a first snapshot of very many actors may be long on its way.
  setInterval(() => {
    const silence = performance.now() - heard;
    const allowed = Math.max(10_000, 4 * Math.min(interval, 60_000));
    if (source.readyState === EventSource.CLOSED || silence < allowed) return;
    if (!live && source.readyState === EventSource.OPEN && silence < 60_000) {
      on.state('connecting', 'the server has answered, but nothing has come: there is much to tell, or a proxy holds it back');
      return;
    }
    lost();
    on.state('reconnecting', '');
    open();
  }, 1000);

  addEventListener('online', open);
  // A page that is kept for the way back would hold its place among the viewers.
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', (event) => event.persisted && open());
  on.state('connecting', '');
  open();
}

// EventSource does not tell what the server has answered.
async function reason(url) {
  const stop = new AbortController();
  try {
    const response = await fetch(url, { signal: stop.signal, cache: 'no-store' });
    if (response.ok) return '';
    const text = (await response.text()).trim();
    return text.length > 0 && text.length < 200 && !text.startsWith('<') ? text : `the server answers ${response.status}`;
  } catch {
    return 'the server does not answer';
  } finally {
    stop.abort();
  }
}
