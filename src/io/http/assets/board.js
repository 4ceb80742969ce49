// The board's only script. The server writes every text: this one puts them in, counts running durations on, and keeps
// the stream alive. It never writes markup.
(() => {
  'use strict';
  const doc = document, root = doc.documentElement, $ = id => doc.getElementById(id);
  const LATE = 6000, ATTEMPT = 5000, SPOKEN_EVERY = 15000;
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let clock = +root.dataset.clock, rate = +root.dataset.rate, at = performance.now(), beat = at;
  let stream, attempt, retry, tries = 0, paused = false, spoke = -SPOKEN_EVERY, armed = -LATE;
  let waiting = {};
  root.dataset.script = '';

  // Running durations: from the server's clock, until its heartbeat is late.
  const late = () => performance.now() - beat > LATE;
  const now = () => clock + (Math.min(performance.now(), beat + LATE) - at) * rate;
  const two = n => String(n).padStart(2, '0');
  function span(ms) {
    const s = Math.max(0, Math.floor(ms / 1000)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
  }
  // A text of another length or state is drawn anew, so that what stands beside it is not pushed.
  const write = (el, text, turned) => {
    const b = el.querySelector(':scope > b'), place = b || el;
    if (!b && el.firstElementChild) return;
    const anew = turned || place.textContent.length !== text.length;
    place.textContent = text;
    if (anew) el.replaceWith(el.cloneNode(true));
  };
  function run() {
    if (paused || doc.hidden) return;
    const t = now();
    for (const el of doc.querySelectorAll('[data-since]')) {
      const text = span(t - el.dataset.since);
      if (el.textContent !== text) write(el, text);
    }
  }

  // Patches: {cell: [text, state, as_of, spoken, since]}.
  function put(id, [text, state, , spoken, since]) {
    const el = $(id);
    if (!el) return;
    const turned = el.dataset.state !== undefined && el.dataset.state !== state;
    if (turned) el.dataset.state = state;
    if (since == null) delete el.dataset.since;
    else el.dataset.since = since;
    if (id === 'title') {
      doc.title = text;
      const link = $('icon'), icon = state === 'firing' ? 'icon-alert.svg' : 'icon.svg';
      if (turned) link.href = link.href.replace(/icon(-alert)?\.svg/, icon);
    } else if (el.tagName === 'path') el.setAttribute('d', text);
    else write(el, text, turned);
    if (spoken != null && $(id + '~')) $(id + '~').textContent = spoken;
    if (!turned || calm.matches) return;
    if (el.classList.contains('v')) $(id).animate([{ backgroundColor: 'color-mix(in srgb, currentColor 25%, transparent)' }, {}], 600);
    if (id[0] === 'b' && state === 'firing') el.animate({ opacity: [0, 1] }, 200);
  }
  const urgent = id => /^(b|g|title)/.test(id);
  function say(cells) {
    const id = ['b1', 'b0'].find(b => cells[b + '.f'] && $(b).dataset.state === 'firing');
    if (!id || performance.now() - spoke < SPOKEN_EVERY) return;
    spoke = performance.now();
    $('say').textContent = $(id + '.t').textContent;
  }
  function flush() {
    const cells = waiting;
    waiting = {};
    for (const id in cells) {
      if (paused && !urgent(id)) waiting[id] = cells[id];
      else put(id, cells[id]);
    }
    run();
  }
  function take(event) {
    const body = JSON.parse(event.data);
    at = beat = performance.now();
    clock = body.clock;
    rate = body.rate;
    if (body.structure && body.structure !== root.dataset.structure) return renew(body.structure);
    if (!body.cells) return;
    const fresh = event.type === 'patch';
    Object.assign(waiting, body.cells);
    if (!doc.hidden) flush();
    else if (waiting.title) put('title', waiting.title);
    if (fresh) say(body.cells);
  }
  // Another build or another roster: load the page anew, once for each.
  function renew(structure) {
    const key = 'shiftpulse-' + structure;
    if (sessionStorage.getItem(key)) return;
    sessionStorage.setItem(key, 1);
    location.reload();
  }

  // The stream: own timers, because an EventSource gives up for good on an error page.
  function connect() {
    clearTimeout(attempt);
    clearTimeout(retry);
    if (stream) stream.close();
    stream = new EventSource(doc.body.dataset.stream);
    attempt = setTimeout(again, ATTEMPT);
    stream.onerror = again;
    for (const kind of ['snapshot', 'patch', 'beat']) stream.addEventListener(kind, event => {
      clearTimeout(attempt);
      if (late() && tries) $('say').textContent = $('say').dataset.back;
      tries = 0;
      take(event);
      show();
    });
  }
  function again() {
    clearTimeout(attempt);
    clearTimeout(retry);
    if (stream) stream.close();
    stream = null;
    retry = setTimeout(connect, Math.min(8, 2 ** tries++) * 1000 * (0.75 + Math.random() / 2));
  }
  function check() {
    if (late()) connect();
    if (!doc.hidden) flush();
  }
  function show() {
    const off = $('off'), lost = late();
    off.hidden = !lost && !paused;
    root.toggleAttribute('data-off', lost);
    root.toggleAttribute('data-paused', paused && !lost);
    const time = $('asof').textContent;
    const seconds = Math.round((performance.now() - beat) / 1000);
    if (lost) write($('off-t'), off.dataset.lost.replace('{s}', seconds));
    else if (paused) write($('off-t'), off.dataset.paused.replace('{t}', time));
    write($('off-f'), off.dataset.from.replace('{t}', time));
  }
  setInterval(() => {
    if (stream && late()) again();
    show();
  }, 1000);
  setInterval(run, rate > 1 ? 250 : 500);
  for (const kind of ['online', 'pageshow']) addEventListener(kind, check);
  doc.addEventListener('visibilitychange', check);
  addEventListener('pagehide', () => stream && stream.close());

  // Choices.
  function theme() {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    doc.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  }
  const next = seg => {
    const links = [...$(seg).querySelectorAll('a')];
    links[(links.findIndex(a => a.hasAttribute('aria-current')) + 1) % links.length].click();
  };
  const kill = () => fetch('/demo/kill', { method: 'POST' });
  const actions = {
    t: theme,
    z: () => next('lang'),
    w: () => next('windows'),
    a: () => { $('log').scrollIntoView({ block: 'nearest' }); $('log').focus(); },
    p: () => { paused = !paused; if (!paused) flush(); show(); },
    r: connect,
    '?': () => $('keys').showModal(),
  };
  const single = $('single');
  single.checked = localStorage.getItem('single-keys') !== 'off';
  single.onchange = () => localStorage.setItem('single-keys', single.checked ? 'on' : 'off');
  addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || $('keys').open || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === 'K' && $('kill')) {
      const twice = event.timeStamp - armed < 3000;
      if (twice) kill();
      armed = twice ? -LATE : event.timeStamp;
      return;
    }
    const action = (single.checked || event.key === '?') && actions[event.key.toLowerCase()];
    if (action) {
      event.preventDefault();
      action();
    }
  });
  $('theme').onclick = event => { event.preventDefault(); theme(); };
  $('help').onclick = actions['?'];
  $('retry').onclick = connect;
  if ($('kill')) $('kill').onsubmit = event => { event.preventDefault(); kill(); };
  if (/[?&](lang|theme)=/.test(location.search)) {
    const url = new URL(location);
    url.searchParams.delete('lang');
    url.searchParams.delete('theme');
    history.replaceState(null, '', url);
  }
  connect();
})();
