// The rows of a run: filters, pages, and everything that happened to each.
"use strict";
FRG.rows = (() => {
  const { data, str, $, el, names, number, text, last } = FRG;
  const PAGE = 50;
  const state = { page: 0, entity: null, ordinal: null };
  let found = data.candidates;

  /** Everything of a candidate that the text filter looks at; built once, when first asked for. */
  function hay(candidate) {
    candidate.hay ??= [
      "#" + candidate.o, str(candidate.i), str(candidate.w), ...candidate.q.map(str),
      ...candidate.e.map((entity) => str(entity[1])),
      ...candidate.r.flatMap((turn) => [str(turn.t), str(turn.j[3]), ...(turn.n || []).map((pair) => str(pair[1]))]),
    ].join("\n").toLowerCase();
    return candidate.hay;
  }

  function matches(candidate, want) {
    return (want.ok === "" || candidate.ok === Number(want.ok))
      && (!want.category || str(candidate.c) === want.category)
      && (!want.strategy || str(candidate.s) === want.strategy)
      && (!want.stage || (!candidate.ok && str(candidate.g) === want.stage))
      && (want.unsafe === "" || candidate.r.some((turn) => turn.u) === (want.unsafe === "1"))
      && (state.ordinal === null || candidate.o === state.ordinal)
      && (state.entity === null || candidate.e.some((entity) => str(entity[0]) === state.entity))
      && (!want.text || hay(candidate).includes(want.text));
  }

  function filter() {
    const want = {
      ok: $("r-status").value, category: $("r-category").value, strategy: $("r-strategy").value,
      stage: $("r-stage").value, unsafe: $("r-unsafe").value, text: $("r-text").value.trim().toLowerCase(),
    };
    found = data.candidates.filter((candidate) => matches(candidate, want));
    state.page = 0;
    draw();
  }

  function draw() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const from = state.page * PAGE;
    const accepted = found.reduce((sum, candidate) => sum + candidate.ok, 0);
    $("r-list").replaceChildren(...found.slice(from, from + PAGE).map(row));
    $("r-count").textContent = `${number(found.length)} of ${number(data.candidates.length)} candidates, ${number(accepted)} accepted`;
    $("r-page").textContent = `Page ${state.page + 1} of ${pages}`;
    $("r-prev").disabled = state.page === 0;
    $("r-next").disabled = state.page >= pages - 1;
    const chips = [];
    if (state.entity !== null) chips.push(chip(`entity: ${state.entity}`, "entity"));
    if (state.ordinal !== null) chips.push(chip(`candidate #${state.ordinal}`, "ordinal"));
    $("r-chips").replaceChildren(...chips);
  }

  function chip(label, key) {
    return el("button", { type: "button", "aria-label": `Remove filter ${label}`, onclick: () => { state[key] = null; filter(); } }, `${label} ✕`);
  }

  function row(candidate) {
    const [value, unsafe] = last(candidate);
    const category = names.get(str(candidate.c)) || str(candidate.c);
    const rounds = candidate.r.length === 1 ? "1 round" : `${candidate.r.length} rounds`;
    const shown = unsafe ? el("span", { class: "flag" }, "text judged unsafe, hidden") : el("q", {}, value || "no text");
    const end = candidate.ok ? "" : ` · ended at ${str(candidate.g)}`;
    const node = el("details", { class: "row" }, el("summary", {},
      el("span", { class: "num" }, `#${candidate.o}`),
      el("span", { class: candidate.ok ? "badge yes" : "badge no" }, candidate.ok ? "✓ accepted" : "✕ rejected"),
      el("span", { class: "main" }, shown, el("span", { class: "meta" }, `${category} · ${str(candidate.s).replace(/-/g, " ")} · ${rounds}${end}`))));
    node.addEventListener("toggle", () => { if (node.open && node.children.length === 1) node.append(body(candidate)); });
    if (found.length === 1) node.open = true;
    return node;
  }

  function body(candidate) {
    const entities = candidate.e.map((entity) => `${str(entity[1])} (${str(entity[2])})`).join(", ");
    const relations = candidate.l.map((link) => link.map(str).join(" → ")).join("; ");
    return el("div", { class: "body" },
      list([["Brief", el("code", {}, str(candidate.i))], ["Strategy", str(candidate.s)],
        ["Category", names.get(str(candidate.c)) || str(candidate.c)], ["Entities", entities], ["Relations", relations],
        ["Seeds", el("code", {}, candidate.q.map(str).join(", "))], ["Random seed", str(candidate.z)],
        ["Outcome", `${candidate.ok ? "accepted" : "rejected"} at ${str(candidate.g)}${candidate.w !== undefined && str(candidate.w) ? ": " + str(candidate.w) : ""}`]]),
      ...candidate.r.flatMap(round));
  }

  /** t text, b by, u unsafe, x no draft, n notes, e entities, v verdict, p probes, d neighbour, j ruling. */
  function round(turn, index) {
    const [decision, stage, fault, reason, by] = turn.j.map(str);
    const notes = (turn.n || []).map((pair) => [`Note: ${str(pair[0])}`, str(pair[1])]);
    return [
      el("h4", {}, `Round ${index + 1} `, turn.u ? el("span", { class: "flag" }, "judged unsafe or unclear") : ""),
      el("p", { class: "text" }, turn.x !== undefined && !str(turn.t) ? el("span", { class: "none" }, `the generator is ${str(turn.x)}: no draft`) : text(str(turn.t), turn.u, "hidden: judged unsafe. Show the text")),
      list([["Written by", str(turn.b)], ["Entities in it", (turn.e || []).map(str).join(", ")], ...notes,
        ["Verdict", turn.v ? verdict(turn.v) : ""], ...(turn.p || []).map(probe), ["Nearest", turn.d ? nearest(turn.d) : ""],
        ["Ruling", `${decision} at ${stage}${fault ? ` (${fault.replace(/_/g, " ")})` : ""}: ${reason} (by ${by})`]]),
    ];
  }

  function verdict([harm, toxic, label, feedback, by, reasons]) {
    const said = [`${str(label)}, harm ${harm}, looks toxic ${toxic} (by ${str(by)})`];
    if (reasons.length) said.push(reasons.map(str).join("; "));
    if (str(feedback)) said.push("feedback: " + str(feedback));
    return said.join(" · ");
  }

  function probe([target, outcome, decided, reply]) {
    const said = `${str(outcome).replace(/_/g, " ")}, decided by ${str(decided)}`;
    return [`Pool: ${str(target)}`, str(reply) ? el("span", {}, said + ": ", el("q", {}, str(reply))) : said];
  }

  function nearest([score, id, among, value, toxic]) {
    return el("span", {}, `cosine ${score} to `, el("code", {}, str(id)), ` of ${str(among)} `,
      toxic && !str(value) ? "(a toxic seed, left out)" : text(str(value), toxic, "a toxic seed, hidden. Show the text"));
  }

  function list(pairs) {
    return el("dl", {}, ...pairs.filter(([, value]) => value !== "").flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, value)]));
  }

  /** Shows the rows that match one value of one filter, and goes there. */
  function show(key, value) {
    $("r-form").reset();
    state.entity = key === "entity" ? value : null;
    state.ordinal = key === "ordinal" ? Number(value) : null;
    if (!["entity", "ordinal"].includes(key)) $(`r-${key}`).value = value;
    filter();
    $("rows").scrollIntoView();
    $("rows").focus({ preventScroll: true });
  }

  FRG.categoryOptions($("r-category"));
  $("r-strategy").append(...data.strategies.map((id) => el("option", { value: id }, id.replace(/-/g, " "))));
  const stages = ["generate", "discriminate", "probe", "orchestrate", "dedup"];
  $("r-stage").append(...stages.map((id) => el("option", { value: id }, id)));
  let timer = 0;
  $("r-form").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 120); });
  $("r-form").addEventListener("submit", (event) => event.preventDefault());
  $("r-form").addEventListener("reset", () => { state.entity = state.ordinal = null; setTimeout(filter); });
  const turn = (by) => { state.page += by; draw(); $("r-count").scrollIntoView(); };
  $("r-prev").addEventListener("click", () => turn(-1));
  $("r-next").addEventListener("click", () => turn(1));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter]");
    if (!link) return;
    event.preventDefault();
    show(link.dataset.filter, link.dataset.value);
  });
  draw();
  return { show };
})();
