// The picture of the entity graph: places come from Python, drawing and exploring happen here.
"use strict";
(() => {
  const { data, str, $, el, names, number, text, last } = FRG;
  const canvas = $("g-canvas");
  if (!data.graph || !canvas) return;
  const KINDS = ["act", "object", "substance", "person", "group", "place", "event", "concept"];
  const LISTED = 100, LABELS = 70, HEAVY = 25;

  const nodes = data.graph.nodes.map(([id, surface, kind, like, weight, home, categories, seeds, x, y], index) => ({
    index, id: str(id), surface: str(surface), kind: str(kind), like: str(like), weight, home: str(home),
    categories: categories.map(str), seeds: seeds.map(str), x, y, r: Math.min(1.3, 0.16 + 0.13 * Math.sqrt(weight)), links: [], also: [], on: true,
  }));
  const edges = data.graph.edges.map(([a, b, label, weight, seeds]) => ({ a: nodes[a], b: nodes[b], label: str(label), weight, seeds: seeds.map(str) }));
  for (const edge of edges) { edge.a.links.push(edge); if (edge.b !== edge.a) edge.b.links.push(edge); }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const aliases = new Map(data.graph.aliases.map(([name, index]) => [str(name), nodes[index]]));
  for (const [name, node] of aliases) node.also.push(name);
  const made = new Map(), tried = new Map();
  for (const candidate of data.candidates) for (const name of new Set(candidate.e.map(([id]) => aliases.get(str(id))?.id ?? str(id)))) {
    tried.set(name, (tried.get(name) || 0) + 1);
    if (!made.has(name)) made.set(name, []);
    if (candidate.ok) made.get(name).push(candidate);
  }
  const heavy = [...nodes].sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  const clusters = clusterNames();

  const pen = canvas.getContext("2d");
  const view = { x: 0, y: 0, k: 10, width: 0, height: 0 };
  let colours = {}, selected = null, hovered = null, filtered = false, waiting = false;

  /** Name, place and reach of each cluster's disc, the largest first. */
  function clusterNames() {
    const found = new Map();
    for (const node of nodes) {
      if (!found.has(node.home)) found.set(node.home, []);
      found.get(node.home).push(node);
    }
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return [...found].filter(([home]) => home).map(([home, inside]) => {
      const x = mean(inside.map((node) => node.x)), y = mean(inside.map((node) => node.y));
      const reach = Math.max(...inside.map((node) => Math.hypot(node.x - x, node.y - y))) + 0.55;
      return { name: wrapped(names.get(home) || home), x, y, reach, count: inside.length };
    }).sort((a, b) => b.count - a.count);
  }

  /** A long name on two lines, cut where they become most alike. */
  function wrapped(name) {
    const gaps = [...name.matchAll(/ /g)].map((match) => match.index);
    if (name.length < 20 || !gaps.length) return name;
    const cut = gaps.reduce((best, gap) => (Math.abs(gap - name.length / 2) < Math.abs(best - name.length / 2) ? gap : best));
    return `${name.slice(0, cut)}\n${name.slice(cut + 1)}`;
  }

  // --- view
  const sx = (x) => (x - view.x) * view.k + view.width / 2;
  const sy = (y) => (y - view.y) * view.k + view.height / 2;
  const radius = (node) => Math.max(1.3, node.r * view.k);

  function fit(some = nodes) {
    const xs = some.map((node) => node.x), ys = some.map((node) => node.y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    view.x = (left + right) / 2;
    view.y = (top + bottom) / 2;
    view.k = Math.min(40, (view.width - 40) / (right - left + 1), (view.height - 60) / (bottom - top + 1));
    later();
  }

  function zoom(by, x = view.width / 2, y = view.height / 2) {
    const k = Math.max(1, Math.min(160, view.k * by));
    view.x += (x - view.width / 2) * (1 / view.k - 1 / k);
    view.y += (y - view.height / 2) * (1 / view.k - 1 / k);
    view.k = k;
    later();
  }

  function resize() {
    const box = canvas.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
    const first = view.width === 0;
    view.width = box.width;
    view.height = box.height;
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(box.height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    if (first && box.width) fit(); else later();
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of [...KINDS, "ink", "soft", "line", "faint", "panel", "accent"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
    later();
  }

  // --- drawing
  function later() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  }

  function draw() {
    pen.clearRect(0, 0, view.width, view.height);
    discs();
    const near = selected ? new Set([selected, ...selected.links.flatMap((edge) => [edge.a, edge.b])]) : null;
    lines(edges.filter((edge) => edge.a.home === edge.b.home), near || filtered ? 0.25 : 0.75, colours.line);
    lines(edges.filter((edge) => edge.a.home !== edge.b.home), near || filtered ? 0.12 : 0.3, colours.line);
    if (selected) lines(selected.links, 1, colours.accent, 1.6);
    const strong = (node) => (near ? near.has(node) : node.on);
    dots(nodes.filter((node) => !strong(node)), 0.18);
    dots(nodes.filter(strong), 1);
    ring(selected, 2.5);
    ring(hovered, 1.5);
    const taken = [];
    for (const node of [selected, hovered]) if (node) label(node.surface, sx(node.x), sy(node.y) - radius(node) - 5, taken, true, 600);
    if (view.k < 22) for (const entry of clusters) label(entry.name, sx(entry.x), sy(entry.y - entry.reach) + 8, taken, false, 600, 11, colours.soft);
    labels(strong, near, taken);
  }

  function discs() {
    pen.fillStyle = colours.faint;
    for (const { x, y, reach } of clusters) {
      pen.beginPath();
      pen.arc(sx(x), sy(y), reach * view.k, 0, 7);
      pen.fill();
    }
  }

  function lines(some, alpha, colour, width = 1) {
    Object.assign(pen, { globalAlpha: alpha, strokeStyle: colour, lineWidth: width });
    pen.beginPath();
    for (const { a, b } of some) {
      const x1 = sx(a.x), y1 = sy(a.y), x2 = sx(b.x), y2 = sy(b.y);
      if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > view.width || Math.max(y1, y2) < 0 || Math.min(y1, y2) > view.height) continue;
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  function visible(node, margin = 20) {
    const x = sx(node.x), y = sy(node.y);
    return x > -margin && x < view.width + margin && y > -margin && y < view.height + margin;
  }

  /** Small dots are squares: at this size nobody sees it, and 5,000 of them stay fast. */
  function dots(some, alpha) {
    pen.globalAlpha = alpha;
    for (const kind of KINDS) {
      pen.fillStyle = colours[kind];
      pen.beginPath();
      for (const node of some) {
        if ((KINDS.includes(node.kind) ? node.kind : "concept") !== kind || !visible(node)) continue;
        const r = radius(node), x = sx(node.x), y = sy(node.y);
        if (r < 2) pen.rect(x - r, y - r, 2 * r, 2 * r);
        else { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 7); }
      }
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  function ring(node, width) {
    if (!node) return;
    Object.assign(pen, { strokeStyle: colours.ink, lineWidth: width });
    pen.beginPath();
    pen.arc(sx(node.x), sy(node.y), radius(node) + 2, 0, 7);
    pen.stroke();
  }

  /** Names of the heavy entities, of all when zoomed in, never one upon the other. */
  function labels(strong, near, taken) {
    const all = view.k >= 30 || (near && near.size < 40) || (filtered && nodes.filter((n) => n.on).length < 40);
    let shown = 0;
    for (const node of heavy.slice(0, all ? heavy.length : view.k >= 22 ? 300 : HEAVY)) {
      if (shown >= LABELS) break;
      if (node === selected || node === hovered || !strong(node) || !visible(node, 0)) continue;
      shown += label(node.surface, sx(node.x), sy(node.y) - radius(node) - 4, taken, false, 400);
    }
  }

  function label(value, at, y, taken, always, weight, size = 12, colour = colours.ink) {
    pen.font = `${weight} ${size}px system-ui, sans-serif`;
    const rows = value.split("\n"), step = size * 1.15;
    const half = Math.max(...rows.map((row) => pen.measureText(row).width)) / 2 + 3;
    if (!always && (at < -half || at > view.width + half)) return 0;
    const x = Math.max(half, Math.min(view.width - half, at));
    const box = [x - half, y - size - (rows.length - 1) * step, x + half, y + 4];
    if (!always && taken.some((b) => box[0] < b[2] && box[2] > b[0] && box[1] < b[3] && box[3] > b[1])) return 0;
    taken.push(box);
    Object.assign(pen, { textAlign: "center", lineJoin: "round", lineWidth: 3.5, strokeStyle: colours.panel });
    rows.forEach((row, place) => {
      const base = y - (rows.length - 1 - place) * step;
      pen.strokeText(row, x, base);
      pen.fillStyle = colour;
      pen.fillText(row, x, base);
    });
    return 1;
  }

  // --- selecting
  function at(x, y, reach) {
    let best = null, distance = Infinity;
    for (const node of nodes) {
      const gap = Math.hypot(sx(node.x) - x, sy(node.y) - y) - radius(node);
      if (gap < reach && gap < distance && (node.on || !filtered)) { best = node; distance = gap; }
    }
    return best;
  }

  function select(node, move = false) {
    selected = node;
    if (node && move) Object.assign(view, { x: node.x, y: node.y, k: Math.max(view.k, 26) });
    for (const button of $("g-list").querySelectorAll("button")) button.setAttribute("aria-pressed", String(Boolean(node) && button.dataset.id === node.id));
    panel();
    later();
  }

  function panel() {
    if (!selected) return $("g-panel").replaceChildren(el("p", { class: "none" }, "Select an entity in the picture or in the list."));
    const node = selected, rows = made.get(node.id) || [];
    $("g-panel").replaceChildren(
      el("h3", {}, node.surface),
      el("p", {}, `${node.kind} · in ${node.weight} seed${node.weight === 1 ? "" : "s"}${node.like ? ` · nearest with readings: ${node.like}` : " · no readings known"}`),
      el("p", { class: "none" }, node.categories.map((id) => names.get(id) || id).join(", ")),
      node.also.length ? el("p", { class: "none" }, `also: ${node.also.join(", ")}`) : "",
      data.run ? part("Rows of briefs with it", rows, made_) : "",
      FRG.rows && tried.get(node.id) ? el("p", {}, link(`Candidates with it, accepted or not (${tried.get(node.id)})`, () => FRG.rows.show("entity", node.id))) : "",
      part("Relations", node.links, relation),
      part("Seeds", node.seeds, seed));
    $("g-panel").scrollTop = 0;
  }

  /** A row; a link where the page has the rows, else its text and category. */
  function made_(row) {
    if (FRG.rows) return el("li", {}, link(`#${row.o}`, () => FRG.rows.show("ordinal", row.o)), " ", last(row)[0]);
    return el("li", {}, last(row)[0], " ", el("small", {}, `#${row.o}, ${names.get(str(row.c)) || str(row.c)}`));
  }

  /** A seed by its id; its text, where the page has it, behind a click. */
  function seed(id) {
    const value = data.seeds ? data.seeds[id] : "";
    return el("li", {}, el("code", {}, id), value ? text(value, true, "a toxic seed. Show the text") : "");
  }

  function link(label, act) {
    return el("button", { type: "button", class: "plain", onclick: act }, label);
  }

  function relation(edge) {
    const mine = (node) => (node === selected ? node.surface : link(node.surface, () => select(node, true)));
    return el("li", {}, mine(edge.a), ` → ${edge.label} → `, mine(edge.b), edge.weight > 1 ? ` (${edge.weight} seeds)` : "");
  }

  /** A list with its head; long ones open on demand, so that nothing is left out. */
  function part(title, items, line, first = 12) {
    if (!items.length) return el("div", {}, el("h4", {}, title), el("p", { class: "none" }, "none"));
    const list = el("ul", {}, ...items.slice(0, first).map(line));
    const out = el("div", {}, el("h4", {}, `${title} (${items.length})`), list);
    if (items.length > first) {
      const more = link(`show ${items.length - first} more`, () => { list.append(...items.slice(first).map(line)); more.remove(); });
      out.append(more);
    }
    return out;
  }

  // --- filters and list
  function filter(move = true) {
    const want = $("g-search").value.trim().toLowerCase(), category = $("g-category").value, kind = $("g-kind").value;
    for (const node of nodes) {
      node.on = (!want || node.surface.toLowerCase().includes(want) || node.id.toLowerCase().includes(want))
        && (!category || node.categories.includes(category)) && (!kind || node.kind === kind);
    }
    filtered = Boolean(want || category || kind);
    const found = heavy.filter((node) => node.on);
    $("g-list").replaceChildren(...found.slice(0, LISTED).map((node) => el("li", {},
      el("button", { type: "button", "data-id": node.id, "aria-pressed": String(node === selected), onclick: () => select(node, true) },
        node.surface, " ", el("small", {}, `${node.kind}, ${node.weight} seed${node.weight === 1 ? "" : "s"}`)))));
    $("g-count").textContent = `${number(found.length)} ${found.length === 1 ? "entity" : "entities"}` + (found.length > LISTED ? `, the ${LISTED} heaviest listed` : "");
    if (selected && !selected.on) select(null);
    if (move && found.length) fit(found);
    later();
  }

  FRG.categoryOptions($("g-category"));
  $("g-kind").append(...KINDS.map((kind) => el("option", { value: kind }, kind)));
  $("g-legend").append(...KINDS.map((kind) => el("li", {}, el("i", { style: `background:var(--${kind})` }), kind)));
  $("g-form").addEventListener("submit", (event) => { event.preventDefault(); if (filtered) select(heavy.find((node) => node.on) || null, true); });
  $("g-form").addEventListener("input", () => filter());
  $("g-in").addEventListener("click", () => zoom(1.5));
  $("g-out").addEventListener("click", () => zoom(1 / 1.5));
  $("g-fit").addEventListener("click", () => fit());

  // --- pointer: one moves, two pinch
  const fingers = new Map();
  let moved = 0;
  const where = (event) => { const box = canvas.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top }; };
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); const p = where(event); zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), p.x, p.y); }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, where(event)); if (fingers.size === 1) moved = 0; });
  canvas.addEventListener("pointermove", (event) => {
    const now = where(event), before = fingers.get(event.pointerId);
    if (!before) { const node = at(now.x, now.y, 4); if (node !== hovered) { hovered = node; later(); } return; }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const share = other ? 0.5 : 1;
    view.x -= ((now.x - before.x) * share) / view.k;
    view.y -= ((now.y - before.y) * share) / view.k;
    if (other) zoom(Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    moved += Math.hypot(now.x - before.x, now.y - before.y) + (other ? 99 : 0);
    fingers.set(event.pointerId, now);
    later();
  });
  canvas.addEventListener("pointerup", (event) => { const p = where(event); if (fingers.delete(event.pointerId) && !fingers.size && moved < 6) select(at(p.x, p.y, event.pointerType === "touch" ? 14 : 6)); });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => { hovered = null; later(); });

  canvas.addEventListener("keydown", (event) => {
    const step = 50 / view.k;
    const keys = {
      ArrowLeft: () => { view.x -= step; }, ArrowRight: () => { view.x += step; }, ArrowUp: () => { view.y -= step; }, ArrowDown: () => { view.y += step; },
      "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), 0: () => fit(), Escape: () => select(null),
      Enter: () => select(at(view.width / 2, view.height / 2, Infinity)),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
    later();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    $("g-search").focus();
    $("g-search").select();
  });

  FRG.onPaint(readColours);
  FRG.graph = { draw, nodes: nodes.length, select: (id) => select(byId.get(id) || null, true), place: (id) => { const node = byId.get(id); return [sx(node.x), sy(node.y)]; }, view };
  readColours();
  new ResizeObserver(resize).observe(canvas);
  resize();
  filter(false);
})();
