// Data, colours and elements, for every page of ours. Texts of a run enter as textContent only.
"use strict";
const FRG = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const str = (number) => data.strings[number];
  const $ = (id) => document.getElementById(id);

  /** An element with attributes and children; strings become text nodes. */
  function el(tag, given = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(given)) {
      if (key === "class") node.className = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  }

  const names = new Map(data.categories.map(([id, name]) => [id, name]));
  const listeners = [];
  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

  /** Fills a select with the categories, grouped by domain. */
  function categoryOptions(select) {
    const groups = new Map();
    for (const [id, name, domain] of data.categories) {
      if (!groups.has(domain)) groups.set(domain, el("optgroup", { label: domain }));
      groups.get(domain).append(el("option", { value: id }, name));
    }
    select.append(...groups.values());
  }

  /** A text; one that was judged unsafe stands behind a click. */
  function text(value, hidden, why) {
    if (!value) return el("span", { class: "none" }, "no text");
    if (!hidden) return el("q", {}, value);
    return el("details", { class: "veil" }, el("summary", {}, why), el("q", {}, value));
  }

  /** The last text a candidate had, and whether it was judged unsafe. */
  function last(candidate) {
    for (let i = candidate.r.length - 1; i >= 0; i--) {
      const value = str(candidate.r[i].t);
      if (value) return [value, Boolean(candidate.r[i].u)];
    }
    return ["", false];
  }

  // --- colours
  const theme = $("theme");
  function paint(value) {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    for (const listener of listeners) listener();
  }
  let kept = "";
  try { kept = localStorage.getItem("frg-theme") || ""; } catch { /* not kept when opened from disk */ }
  theme.value = ["light", "dark"].includes(kept) ? kept : "";
  paint(theme.value);
  theme.addEventListener("change", () => {
    paint(theme.value);
    try { localStorage.setItem("frg-theme", theme.value); } catch { /* as above */ }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(theme.value));

  return { data, str, $, el, names, number, text, last, categoryOptions, onPaint: (f) => listeners.push(f) };
})();
