/* The console's own script: live figures, keys, the minute after which a revealed field is hidden again. ES2017, no libraries.
   Every page works without it. */
(function () {
  "use strict";

  const body = document.body;
  const texts = JSON.parse(document.getElementById("texts").getAttribute("data-texts"));
  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  /* ---- live: one stream per visible page; regions that became old are fetched again, not oftener than every few seconds */

  const live = one("#live");
  const bar = one("#stale");
  const regions = all("[data-region]");
  const state = { source: null, failures: 0, poll: 0, last: Date.now(), versions: {}, tags: {}, from: {}, due: new Set(), timer: 0, busy: false, rest: 0 };
  const QUIET_MS = 3000;
  const STALE_MS = 20000;

  function show(kind) {
    if (!live) return;
    live.hidden = false;
    live.classList.toggle("off", kind !== "on");
    one("span", live).textContent = texts[kind];
  }

  function setNumbers(numbers) {
    for (const name of Object.keys(numbers)) {
      for (const el of all("[data-number=" + name + "]")) {
        const most = Number(el.getAttribute("data-most") || Infinity);
        const text = numbers[name] > most ? most + "+" : numbers[name].toLocaleString("en-US");
        if (el.hasAttribute("data-most")) el.hidden = numbers[name] === 0;
        if (el.textContent !== text) el.textContent = text;
        if (el.hasAttribute("data-tone")) el.toggleAttribute("data-zero", numbers[name] === 0);
      }
    }
  }

  function needs(region) {
    return region.getAttribute("data-topics").split(" ");
  }

  function setVersions(versions) {
    const made = JSON.parse(one("#main").getAttribute("data-made") || "{}");
    for (const region of regions) {
      for (const topic of needs(region)) {
        const known = state.versions[topic] || made[topic];
        if (known !== undefined && versions[topic] !== undefined && known !== versions[topic]) state.due.add(region.getAttribute("data-region"));
      }
    }
    Object.assign(state.versions, versions);
    plan();
  }

  function plan() {
    if (!state.due.size || state.timer || state.busy || document.hidden) return;
    /* Spread: many open pages must not ask in the same moment. */
    state.timer = setTimeout(refetch, Math.max(300 + Math.random() * 900, state.rest - Date.now()));
  }

  function busyHere(region) {
    const el = document.activeElement;
    return region.contains(el) && el !== region && /^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName) || !!one("details.act[open]", region);
  }

  function refetch() {
    state.timer = 0;
    const names = Array.from(state.due).filter((name) => {
      const region = one("[data-region='" + name + "']");
      return region && !busyHere(region);
    });
    state.due.clear();
    if (!names.length) return;
    const key = names.join(",");
    const headers = { "X-Fragment": key };
    /* The tag counts only while every region still shows what came with it. */
    if (state.tags[key] && names.every((name) => state.from[name] === key)) headers["If-None-Match"] = state.tags[key];
    state.busy = true;
    fetch(regionAddress(), { headers, credentials: "same-origin", cache: "no-store" })
      .then((response) => {
        if (response.status === 401) { over(); return null; }
        if (response.status === 304 || !response.ok) return null;
        state.tags[key] = response.headers.get("ETag");
        return response.json();
      })
      .then((found) => {
        if (!found) return;
        for (const name of Object.keys(found)) {
          const region = one("[data-region='" + name + "']");
          if (region && !busyHere(region)) {
            region.innerHTML = found[name];
            state.from[name] = key;
          }
        }
      })
      .catch(() => undefined)
      .then(() => { state.busy = false; state.rest = Date.now() + QUIET_MS; plan(); });
  }

  function regionAddress() {
    const own = body.getAttribute("data-fragments");
    return own || location.href;
  }

  function heard() {
    state.last = Date.now();
    state.failures = 0;
    if (bar) bar.hidden = true;
    show("on");
  }

  function open() {
    if (!live || state.source || document.hidden || !window.EventSource) return;
    const source = new EventSource(live.getAttribute("data-stream"));
    state.source = source;
    source.addEventListener("numbers", (event) => { heard(); setNumbers(JSON.parse(event.data)); });
    source.addEventListener("versions", (event) => { heard(); setVersions(JSON.parse(event.data)); });
    source.addEventListener("over", over);
    source.onopen = heard;
    source.onerror = () => {
      state.failures += 1;
      if (source.readyState === 2 || state.failures >= 3) {
        close();
        poll();
      }
      check();
    };
  }

  function close() {
    if (state.source) state.source.close();
    state.source = null;
  }

  function over() {
    close();
    clearInterval(state.poll);
    if (bar) { bar.textContent = texts.over; bar.hidden = false; }
    show("off");
  }

  function poll() {
    show("polling");
    clearInterval(state.poll);
    state.poll = setInterval(() => {
      if (document.hidden) return;
      for (const region of regions) state.due.add(region.getAttribute("data-region"));
      refetch();
      fetch(live.getAttribute("data-stream"), { method: "GET", headers: { Accept: "text/event-stream" }, credentials: "same-origin" })
        .then((response) => {
          const stream = response.status === 200;
          if (response.body && response.body.cancel) response.body.cancel();
          if (stream) { clearInterval(state.poll); state.failures = 0; open(); }
        })
        .catch(check);
    }, 10000);
  }

  function check() {
    if (!live || document.hidden) return;
    const silent = Date.now() - state.last > STALE_MS;
    if (bar && (silent || state.failures > 0)) {
      const at = new Date(state.last);
      bar.textContent = texts.stale.replace("{time}", at.toTimeString().slice(0, 8));
      bar.hidden = false;
      show("off");
    }
  }

  if (live) {
    document.addEventListener("visibilitychange", () => {
      /* Six connections per host are all that HTTP/1.1 gives a browser: a hidden page holds none of them. */
      if (document.hidden) { close(); clearInterval(state.poll); } else { state.last = Date.now(); open(); plan(); }
    });
    window.addEventListener("pagehide", close);
    window.addEventListener("pageshow", open);
    setInterval(check, 5000);
    open();
  }

  /* ---- lists: new rows are told of, never pushed under the hand */

  const fresh = one("#fresh");
  if (fresh && live) {
    const ask = () => {
      if (document.hidden) return;
      fetch(fresh.getAttribute("data-ask"), { headers: { "X-Fragment": "bar" }, credentials: "same-origin" })
        .then((response) => response.ok ? response.json() : null)
        .then((found) => { if (found && found.bar.trim()) { fresh.innerHTML = found.bar; fresh.hidden = false; } })
        .catch(() => undefined);
    };
    setInterval(ask, 5000);
  }

  /* ---- a revealed field is hidden again after its minute */

  for (const el of all("[data-hide-after]")) {
    setTimeout(() => { el.textContent = texts.hidden; el.classList.remove("plain"); }, 1000 * Number(el.getAttribute("data-hide-after")));
  }

  /* ---- boxes that choose all rows; chosen rows survive a reload */

  const key = "chosen:" + location.pathname + location.search;
  const boxes = () => all("tbody input[type=checkbox][name=id]");
  function keep() {
    const chosen = boxes().filter((box) => box.checked).map((box) => box.value);
    try { sessionStorage.setItem(key, JSON.stringify(chosen)); } catch (error) { /* a full or forbidden store only costs the memory */ }
    for (const el of all("[data-chosen]")) el.textContent = String(chosen.length);
    for (const box of boxes()) box.closest("tr").classList.toggle("chosen", box.checked);
  }
  if (boxes().length) {
    let chosen = [];
    try { chosen = JSON.parse(sessionStorage.getItem(key) || "[]"); } catch (error) { chosen = []; }
    for (const box of boxes()) if (chosen.indexOf(box.value) >= 0) box.checked = true;
    document.addEventListener("change", (event) => {
      if (event.target.matches("input[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
      if (event.target.matches("input[type=checkbox]")) keep();
    });
    keep();
  }

  /* ---- copy */

  document.addEventListener("click", (event) => {
    const button = event.target.closest ? event.target.closest("[data-copy],[data-copy-link]") : null;
    if (!button) return;
    const field = document.createElement("textarea");
    const link = button.getAttribute("data-copy-link");
    field.value = link === null ? button.getAttribute("data-copy") : new URL(link, location.href).href;
    document.body.appendChild(field);
    field.select();
    /* The clipboard API asks for https; an intranet address has none. */
    document.execCommand("copy");
    field.remove();
    button.textContent = texts.copied;
  });

  /* ---- keys */

  const help = one("#keys");
  let keysOn = true;
  try { keysOn = localStorage.getItem("keys") !== "off"; } catch (error) { keysOn = true; }
  let first = "";
  let at = -1;
  const rows = () => all("tbody tr[data-open]");

  function move(step) {
    const found = rows();
    if (!found.length) return;
    if (at >= 0 && found[at]) found[at].classList.remove("on");
    at = Math.min(Math.max(at + step, 0), found.length - 1);
    found[at].classList.add("on");
    found[at].scrollIntoView({ block: "nearest" });
    const link = one("a", found[at]);
    if (link) link.focus({ preventScroll: true });
  }

  /* The help takes the focus, and gives it back to where it was. */
  let before = null;
  function helpShown(on) {
    help.hidden = !on;
    if (on) { before = document.activeElement; help.focus(); } else if (before) { before.focus(); before = null; }
  }

  function go(place) {
    const link = one("[data-key='" + place + "']");
    if (link) location.href = link.href;
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.key === "Escape") {
      const opened = one("details.more[open]");
      if (opened) { const within = opened.contains(document.activeElement); opened.open = false; if (within) one("summary", opened).focus(); }
      else if (help && !help.hidden) helpShown(false);
      else if (typing) event.target.blur();
      return;
    }
    if (typing || !keysOn) return;
    if (first === "g") {
      first = "";
      if (/^[a-z]$/.test(event.key)) { go(event.key); event.preventDefault(); }
      return;
    }
    const current = rows()[at];
    switch (event.key) {
      case "/": { const box = one("#q"); if (box) { box.focus(); box.select(); event.preventDefault(); } break; }
      case "j": move(1); break;
      case "k": move(-1); break;
      case "g": first = "g"; setTimeout(() => { first = ""; }, 1500); break;
      case "x": if (current) { const box = one("input[type=checkbox]", current); if (box) { box.checked = !box.checked; keep(); } } break;
      case "r": { const act = one("#act-redrive"); if (act) { act.open = true; one("textarea,input:not([type=hidden])", act).focus(); event.preventDefault(); } break; }
      case "Enter": if (current && event.target.tagName !== "A" && event.target.tagName !== "BUTTON") location.href = current.getAttribute("data-open"); break;
      case "?": if (help) helpShown(help.hidden); break;
      default: break;
    }
  });

  const toggle = one("#keys-toggle");
  if (toggle) {
    toggle.checked = keysOn;
    toggle.addEventListener("change", () => {
      keysOn = toggle.checked;
      try { localStorage.setItem("keys", keysOn ? "on" : "off"); } catch (error) { /* kept for this page alone */ }
    });
  }
  for (const el of all("[data-close]")) el.addEventListener("click", () => helpShown(false));
  document.addEventListener("click", (event) => {
    for (const el of all("details.more[open]")) if (!el.contains(event.target)) el.open = false;
  });
  for (const el of all("[data-print]")) { el.hidden = false; el.addEventListener("click", () => window.print()); }
  for (const el of all("select[data-submit]")) el.addEventListener("change", () => el.form.submit());
}());
