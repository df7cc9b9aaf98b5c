/* The self-contained page: shows one item after the other in the form of item.js, keeps each answer
   in this browser before the next is shown, writes them to a file and reads such a file back. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const FORMAT = "falsereject-gen-answers/1", SOME = 100;
  const data = JSON.parse($("data").textContent);
  const place = new Map(data.items.map((item, at) => [item.id, at]));
  const back = new Map();
  let who = data.annotator, said = new Map(), at = 0, view = "start", listed = SOME, loud = "";

  /* One entry an answer: two windows with this page never write over each other. */
  const memory = (() => {
    try {
      const found = window.localStorage;
      found.setItem("frg-try", "1");
      found.removeItem("frg-try");
      return found;
    } catch { return null; }
  })();
  let broken = !memory, loose = false;
  const base = () => `frg/${data.key}/${who}/`;
  const read = () => {
    const found = [];
    for (let i = 0; memory && i < memory.length; i += 1) {
      const key = memory.key(i);
      if (!key.startsWith(`${base()}i-`)) continue;
      try { found.push(JSON.parse(memory.getItem(key))); } catch { /* not of ours */ }
    }
    return found.filter((answer) => answer && place.has(answer.item));
  };
  const arranged = (answers) =>
    new Map(answers.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map((a) => [a.item, a]));
  const store = (key, text) => {
    try {
      if (text === null) memory.removeItem(base() + key);
      else memory.setItem(base() + key, text);
    } catch { broken = true; }
  };
  const keep = (answer) => {
    said.delete(answer.item);
    said.set(answer.item, answer);
    store(answer.item, JSON.stringify(answer));
    loose = true;
  };
  const drop = (item) => {
    said.delete(item);
    store(item, null);
    loose = true;
  };
  const recall = () => { if (memory) said = arranged(read()); };

  /* What is shown. */
  const count = () => [...said.values()].filter((answer) => answer.skipped).length;
  const unsaved = () => {
    const last = (memory && memory.getItem(`${base()}saved`)) || "";
    return [...said.values()].filter((answer) => answer.at > last).length;
  };
  const status = () => {
    const skipped = count(), rest = unsaved();
    $("count").textContent = `${said.size} of ${data.items.length} done`;
    $("count-skipped").textContent = skipped ? `, ${skipped} skipped` : "";
    $("progress").value = said.size;
    $("so-far").textContent = said.size ? `; ${said.size} are done` : "";
    $("skipped").textContent = skipped ? `; ${skipped} of them you skipped` : "";
    $("go").textContent = said.size ? "Go on" : "Begin";
    $("kept").classList.toggle("bad", broken);
    const kept = broken
      ? "This browser keeps nothing for this page: save your answers to a file before you close it."
      : rest ? `Kept in this browser. ${rest} not yet in a file.`
        : said.size ? "Kept in this browser, and in the file that you saved." : "";
    $("kept").textContent = [loud, kept].filter(Boolean).join(" ");
    $("save-file").disabled = !said.size;
    $("save-file").classList.toggle("main", view === "done" && rest > 0);
  };
  const show = (name) => {
    view = name;
    for (const one of ["start", "item", "done", "mine"]) $(`v-${one}`).hidden = one !== name;
    $("bar").hidden = name === "start";
    $("after").hidden = name !== "done";
    $("files").classList.toggle("quiet", name === "item");
    status();
    window.scrollTo(0, 0);
    if (name !== "item") $(`v-${name}`).querySelector("h1").focus();
  };
  const open = (after) => {
    for (let step = 0; step < data.items.length; step += 1) {
      const next = (after + step) % data.items.length;
      if (!said.has(data.items[next].id)) return next;
    }
    return -1;
  };
  const item = (next) => {
    if (next < 0) { show("done"); return; }
    at = next;
    const one = data.items[at], given = said.get(one.id) || back.get(one.id) || { labels: {} };
    for (const group of frgItem.groups) frgItem.put(group, given.labels[group.dataset.name]);
    $("category").textContent = one.category_name;
    $("domain").textContent = one.domain;
    $("prompt").textContent = one.prompt;
    $("note").value = given.note || "";
    $("flag").checked = Boolean(given.flagged);
    $("said").textContent = "";
    $("h-item").textContent = `Request ${at + 1} of ${data.items.length}`;
    show("item");
    frgItem.fresh(given.seconds || 0, said.size > 0);
  };
  const undo = () => {
    const last = [...said.keys()].pop();
    if (!last) return;
    back.set(last, said.get(last));
    drop(last);
    item(place.get(last));
  };

  $("item").addEventListener("submit", (event) => {
    event.preventDefault();
    loud = "";
    const what = event.submitter ? event.submitter.value : "save";
    if (what === "undo") { undo(); return; }
    const form = new FormData($("item")), one = data.items[at], labels = {};
    for (const name of data.questions) if (what === "save") labels[name] = form.get(name);
    back.delete(one.id);
    keep({
      item: one.id, annotator: who, labels, note: form.get("note").trim(), skipped: what === "skip",
      flagged: form.has("flagged"), seconds: Number(form.get("seconds")) || 0, at: new Date().toISOString(),
    });
    item(open(at));
  });
  $("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!data.annotator) {
      who = $("name").value.trim();
      if (!who) return;
      try { memory.setItem(`frg/${data.key}`, who); } catch { broken = true; }
    }
    recall();
    item(open(0));
  });

  /* Answers of one's own. */
  const list = () => {
    const rows = [...said.values()].reverse();
    $("list").replaceChildren(...rows.slice(0, listed).map((answer) => {
      const row = document.createElement("li"), link = document.createElement("button"), gist = document.createElement("span");
      row.value = place.get(answer.item) + 1;
      link.className = "plain";
      link.dir = "auto";
      link.textContent = data.items[place.get(answer.item)].prompt;
      link.addEventListener("click", () => item(place.get(answer.item)));
      gist.className = "gist";
      gist.textContent = [
        ...(answer.skipped ? ["skipped"] : data.questions.filter((q) => answer.labels[q]).map((q) => `${q.replace(/_/g, " ")} ${answer.labels[q]}`)),
        ...(answer.flagged ? ["flagged"] : []), ...(answer.note ? [`“${answer.note}”`] : []),
      ].join(" · ");
      row.append(link, gist);
      return row;
    }));
    $("older").hidden = rows.length <= listed;
  };
  $("to-mine").addEventListener("click", () => { listed = SOME; list(); show("mine"); });
  $("older").addEventListener("click", () => { listed += SOME; list(); });
  $("on").addEventListener("click", () => item(open(0)));
  $("undo-done").addEventListener("click", undo);

  /* Files. */
  const saved = () => {
    const answers = [...said.values()];
    const text = JSON.stringify({ format: FORMAT, batch: data.batch, annotator: who, answers }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "application/json" }));
    link.download = `${data.batch}-${who}-answers.json`.replace(/[^\p{L}\p{N}.@+_-]+/gu, "_");
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    store("saved", answers.reduce((last, answer) => (answer.at > last ? answer.at : last), ""));
    loose = false;
    loud = `Saved as ${link.download}.`;
    status();
  };
  const fits = (answer) =>
    answer && place.has(answer.item) && answer.labels && typeof answer.at === "string" &&
    Object.entries(answer.labels).every(([name, value]) => (data.answers[name] || []).includes(value));
  const loaded = (text) => {
    let found;
    try { found = JSON.parse(text); } catch { return "That is no file of answers."; }
    if (!found || found.format !== FORMAT || !Array.isArray(found.answers)) return "That is no file of answers.";
    if (found.batch !== data.batch) return `That file is of another batch: ${found.batch}.`;
    if (found.annotator !== who) return `That file has the answers of ${found.annotator}, not of ${who}.`;
    const good = found.answers.filter(fits);
    const newer = good.filter((answer) => !said.has(answer.item) || said.get(answer.item).at < answer.at);
    for (const answer of newer) keep({ ...answer, annotator: who });
    said = arranged([...said.values()]);
    const odd = found.answers.length - good.length;
    return `Loaded ${newer.length} answers; ${good.length - newer.length} were here already${odd ? `; ${odd} do not fit this batch and were left out` : ""}.`;
  };
  $("save-file").addEventListener("click", saved);
  $("load-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const named = $("name") && $("name").value.trim();
    if (!data.annotator && named) who = named;
    loud = who ? loaded(await file.text()) : "Write your name first.";
    event.target.value = "";
    if (view === "mine") list();
    if (view === "done" || (view === "item" && said.has(data.items[at].id))) item(open(at));
    status();
  });

  window.addEventListener("storage", (event) => {
    if (!event.key || !event.key.startsWith(base())) return;
    recall();
    status();
  });
  window.addEventListener("beforeunload", (event) => { if (broken && loose && said.size) event.preventDefault(); });
  document.addEventListener("keydown", (event) => {
    const letters = !memory || memory.getItem("frg-keys") !== "off";
    if (view === "done" && event.key === "u" && letters && !event.ctrlKey && !event.metaKey && !event.altKey) undo();
  });
  if (!data.annotator && memory) {
    who = memory.getItem(`frg/${data.key}`) || "";
    $("name").value = who;
  }
  if (who) recall();
  status();
})();
