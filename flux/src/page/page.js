// Follows the page's events and filters its settings. Without it the page shows what was there when it was loaded.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const live = byId("live"), rows = byId("rows"), search = byId("search"), count = byId("count");
  const SILENCE = 12000;
  let known = new Map(), found = 0, source = null, received = Date.now(), timer = 0;
  // Where only some settings were sent, the first event brings all of them.
  let picture = search.value.trim() ? "" : document.body.dataset.picture;

  // What the server sends is markup whose every text is escaped there.
  const parse = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content;
  };

  // Ages.
  const lasting = (seconds) => {
    const s = Math.max(0, Math.floor(seconds)), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
    if (d) return `${d} d ${h % 24} h`;
    if (h) return `${h} h ${m % 60} min`;
    return m ? `${m} min ${s % 60} s` : `${s} s`;
  };
  const age = () => {
    const now = Date.now() / 1000;
    for (const time of document.querySelectorAll("time")) {
      const at = time.dateTime, ago = now - Number(time.dataset.at);
      const when = ago < 0 ? `in ${lasting(-ago)}` : `${lasting(ago)} ago`;
      const text = `${at.replace("T", " ").replace("Z", " UTC")} (${when})`;
      if (time.textContent !== text) time.textContent = text;
    }
  };

  // Search: every word must occur somewhere in the setting.
  const index = () => {
    known = new Map();
    for (const row of rows.children) known.set(row.dataset.path, row);
  };
  // Without the names of the lines, which are in nearly all of them.
  const shown = (row) => [...row.querySelectorAll("summary, dd")].map((part) => part.textContent).join(" ");
  const wordsOf = (row) => (row.words ??= shown(row).toLowerCase());
  const show = (row, wanted) => {
    const fits = wanted.every((word) => wordsOf(row).includes(word));
    if (row.hidden === fits) row.hidden = !fits;
    return fits;
  };
  const wanted = () => search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const tally = () => { count.textContent = `${found} of ${rows.children.length}`; };
  const filter = () => {
    const words = wanted();
    found = 0;
    for (const row of rows.children) found += show(row, words);
    tally();
  };

  // A part is replaced as a whole; what was open, chosen or had the focus stays so.
  const replace = (id, html) => {
    const part = byId(id);
    if (!part) return;
    const open = new Set(), chosen = part.querySelector("select")?.value;
    part.querySelectorAll("details").forEach((one, at) => one.open && open.add(one.id || at));
    const focus = part.contains(document.activeElement) ? document.activeElement : null;
    const place = focus && [...part.querySelectorAll(focus.localName)].indexOf(focus);
    part.replaceChildren(parse(html));
    part.querySelectorAll("details").forEach((one, at) => { one.open = open.has(one.id || at); });
    const select = part.querySelector("select");
    if (select && [...select.options].some((one) => one.value === chosen)) select.value = chosen;
    if (focus) part.querySelectorAll(focus.localName)[place]?.focus();
  };
  // The element of a row stays, and with it whether it is open: what is around it is not laid out anew.
  const replaceRow = (path, html, behind, words) => {
    const fresh = parse(html).firstElementChild;
    let row = known.get(path);
    if (row) {
      const hadFocus = row.contains(document.activeElement);
      row.replaceChildren(...fresh.childNodes);
      delete row.words;
      if (hadFocus) row.firstElementChild.focus();
      found -= !row.hidden;
    } else {
      row = fresh;
      if (behind === null) rows.prepend(row);
      else known.get(behind).after(row);
      known.set(path, row);
    }
    found += show(row, words);
    row.classList.add("fresh");
    clearTimeout(row.timer);
    row.timer = setTimeout(() => row.classList.remove("fresh"), 4000);
  };
  const replaceRows = (change) => {
    if (change.all !== undefined) {
      const open = new Set([...rows.querySelectorAll("details[open]")].map((row) => row.dataset.path));
      rows.replaceChildren(parse(change.all));
      index();
      for (const path of open) if (known.has(path)) known.get(path).open = true;
      filter();
    } else if (change.changed) {
      for (const path of change.gone) {
        const row = known.get(path);
        if (!row) continue;
        found -= !row.hidden;
        row.remove();
        known.delete(path);
      }
      const words = wanted();
      for (const [path, html, behind] of change.changed) replaceRow(path, html, behind, words);
      tally();
    }
  };

  // Events.
  const report = (text, isLost) => {
    live.classList.toggle("lost", isLost);
    if (live.textContent !== text) live.textContent = text;
  };
  const alive = () => {
    received = Date.now();
    report("Followed live.", false);
  };
  const lost = (text) => report(`${text} What is below is as of ${new Date(received).toISOString().slice(11, 19)} UTC.`, true);
  const take = (event) => {
    picture = event.lastEventId;
    const change = JSON.parse(event.data);
    document.title = change.title;
    for (const [id, html] of Object.entries(change.parts)) replace(id, html);
    replaceRows(change.rows);
    age();
    alive();
  };
  const connect = () => {
    source?.close();
    source = new EventSource(`?events&since=${encodeURIComponent(picture)}`);
    source.addEventListener("picture", take);
    source.addEventListener("beat", alive);
    source.onerror = () => {
      // The browser connects anew by itself, unless it was refused.
      if (source.readyState === EventSource.CLOSED) {
        lost("Not followed: the server refuses, as when too many follow already.");
        clearTimeout(timer);
        timer = setTimeout(connect, 5000);
      }
    };
  };
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  setInterval(() => {
    age();
    // What the server refuses is tried again by its own timer.
    if (Date.now() - received > SILENCE && source.readyState !== EventSource.CLOSED) {
      lost("The connection is lost.");
      if (source.readyState === EventSource.OPEN) connect();
    }
  }, 1000);

  // Keys: / searches, Escape shows all again.
  addEventListener("keydown", (event) => {
    const writes = /^(input|select|textarea)$/i.test(event.target.localName);
    if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      search.value = "";
      filter();
    }
  });
  search.addEventListener("input", filter);
  search.form.addEventListener("submit", (event) => event.preventDefault());
  search.form.querySelector("button").hidden = true;
  index();
  filter();
  age();
  connect();
})();
