/* The keyboard of the item view, the same in the file and on the server. It knows no storage: the
   form is submitted with do=save|skip|undo, by the browser or caught by file.js. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const form = $("item");
  const memory = (() => { try { return window.localStorage; } catch { return null; } })();
  const letters = () => !memory || memory.getItem("frg-keys") !== "off";

  /* Dialogs: the guideline opens at the question that is marked. */
  const open = (id, name) => {
    const dialog = $(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const heads = [...dialog.querySelectorAll(".prose h2")];
    const head = heads.find((h) => [...h.querySelectorAll("code")].some((c) => c.textContent === name));
    if (head) head.scrollIntoView({ block: "start" });
    else dialog.scrollTop = 0;
  };
  for (const link of document.querySelectorAll("[data-opens]")) {
    link.addEventListener("click", (event) => {
      if (!$(link.dataset.opens) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      open(link.dataset.opens, now && now.dataset.name);
    });
  }
  const on = $("keys-on");
  if (on) {
    on.checked = letters();
    on.addEventListener("change", () => memory && memory.setItem("frg-keys", on.checked ? "on" : "off"));
  }
  let now = null;
  if (!form) {
    document.addEventListener("keydown", (event) => {
      const undo = $("undo");
      if (undo && event.key === "u" && letters() && !event.ctrlKey && !event.metaKey && !event.altKey) undo.click();
    });
    return;
  }

  const groups = [...form.querySelectorAll("[role=radiogroup]")];
  const radios = (group) => [...group.querySelectorAll("input")];
  const chosen = (group) => radios(group).find((radio) => radio.checked);
  const say = (text) => { $("said").textContent = text; };
  let picks = [], before = {}, spent = 0, since = 0, sent = false, canUndo = false;

  const mark = (group) => {
    now = group;
    for (const one of groups) one.classList.toggle("now", one === group);
  };
  const go = (group) => {
    if (!group) { now = null; mark(null); $("save").focus({ preventScroll: getComputedStyle($("save").parentElement).position === "sticky" }); return; }
    mark(group);
    (chosen(group) || radios(group)[0]).focus();
  };
  const onward = (group) => {
    const at = groups.indexOf(group);
    go([...groups.slice(at + 1), ...groups.slice(0, at)].find((one) => !chosen(one)));
  };
  const refresh = () => {
    $("undo").disabled = !canUndo && !picks.length;
    for (const group of groups) if (chosen(group)) group.classList.remove("open");
    if (!groups.some((group) => group.classList.contains("open"))) say("");
  };
  const picked = (group) => {
    const name = group.dataset.name, radio = chosen(group);
    const value = radio ? radio.value : "";
    if (before[name] === value) return;
    picks.push([group, before[name]]);
    before[name] = value;
    refresh();
  };
  const put = (group, value) => {
    for (const radio of radios(group)) radio.checked = radio.value === value;
  };
  const unpick = () => {
    const [group, value] = picks.pop();
    put(group, value);
    before[group.dataset.name] = value;
    refresh();
    go(group);
  };

  /* Time counts while the page can be seen. */
  const seconds = () => spent + (since ? (performance.now() - since) / 1000 : 0);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { spent = seconds(); since = 0; } else since = performance.now();
  });

  const submit = (what) => {
    if (sent) return;
    if (what === "undo" && picks.length) { unpick(); return; }
    if (what !== "undo" || canUndo) form.requestSubmit($(what));
  };
  form.addEventListener("submit", (event) => {
    const what = event.submitter ? event.submitter.value : "save";
    const stop = () => { event.preventDefault(); event.stopImmediatePropagation(); };
    if (sent) return stop();
    if (what === "undo" && picks.length) { stop(); unpick(); return undefined; }
    const left = groups.filter((group) => !chosen(group));
    if (what === "save" && left.length) {
      stop();
      for (const group of groups) group.classList.toggle("open", left.includes(group));
      say(left.length === 1 ? "One question is open." : `${left.length} questions are open.`);
      go(left[0]);
      return undefined;
    }
    $("seconds").value = seconds().toFixed(1);
    sent = true;
    return undefined;
  });

  const letter = {
    s: () => submit("skip"),
    u: () => submit("undo"),
    f: () => $("flag").click(),
    n: () => $("note").focus(),
    g: () => open("guideline", now && now.dataset.name),
    "?": () => open("keys"),
    ArrowDown: () => go(groups[Math.min(groups.indexOf(now) + 1, groups.length - 1)]),
    ArrowUp: () => go(groups[now ? Math.max(groups.indexOf(now) - 1, 0) : groups.length - 1]),
  };
  const digit = (event) => {
    const code = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    return /^[1-9]$/.test(event.key) ? Number(event.key) : code && !event.shiftKey ? Number(code[1]) : 0;
  };
  const choose = (number) => {
    const group = now || groups.find((one) => !chosen(one));
    const radio = group && radios(group)[number - 1];
    if (!radio) return;
    radio.checked = true;
    picked(group);
    onward(group);
  };
  const keydown = (event) => {
    if (document.querySelector("dialog[open]") || form.closest("[hidden]")) return;
    const chord = event.ctrlKey || event.metaKey, target = event.target;
    if (chord && event.key === "Enter") { event.preventDefault(); submit("save"); return; }
    if (target.id === "note") {
      if (event.key === "Escape") { event.preventDefault(); go(now || groups.find((g) => !chosen(g))); }
      return;
    }
    if (event.altKey || (target.matches && target.matches("select, input[type=file], [type=text]"))) return;
    if (chord) { if (event.key === "z") { event.preventDefault(); submit("undo"); } return; }
    if (event.key === "Enter") {
      if (target.closest && target.closest("button, a, summary, [tabindex]")) return;
      event.preventDefault();
      if (!event.repeat) submit("save");
      return;
    }
    const single = event.key.length === 1;
    if ((single && !letters()) || (single && event.repeat)) return;
    const number = digit(event);
    const act = number ? () => choose(number) : letter[single ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  };
  document.addEventListener("keydown", keydown);

  let pointer = false;
  form.addEventListener("pointerdown", (event) => { pointer = Boolean(event.target.closest(".answers")); });
  form.addEventListener("keydown", () => { pointer = false; });
  form.addEventListener("focusin", (event) => {
    const group = event.target.closest("[role=radiogroup]");
    if (group) mark(group);
  });
  form.addEventListener("change", (event) => {
    const group = event.target.closest("[role=radiogroup]");
    if (!group) return;
    picked(group);
    if (pointer) onward(group);
  });

  /* A new item is in the form: called here at load, and by file.js for each item. */
  const fresh = (start, undoable) => {
    [picks, spent, since, sent, canUndo] = [[], start, document.hidden ? 0 : performance.now(), false, undoable];
    before = Object.fromEntries(groups.map((group) => [group.dataset.name, (chosen(group) || { value: "" }).value]));
    for (const group of groups) group.classList.remove("open");
    refresh();
    go(groups.find((group) => !chosen(group)));
  };
  window.addEventListener("pageshow", () => { sent = false; });
  window.frgItem = { fresh, put, groups, seconds };
  if (form.getAttribute("action")) {
    const said = $("said").textContent;
    fresh(Number(form.dataset.spent) || 0, !$("undo").disabled);
    if (said) say(said);
  }
})();
