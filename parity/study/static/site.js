// What the pages do: light up a symbol, hide columns, change the theme, search. Each works without the others.
"use strict";

const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// A browser may keep nothing for pages from a folder; then choices last as long as the page.
const kept = {
  get(key) {
    try { return localStorage.getItem(`parity-${key}`); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(`parity-${key}`, value); } catch { /* they last as long as the page */ }
  },
};

for (const control of all(".control")) control.hidden = false;

// ---- pages: in a narrow window their row scrolls, to where one is

const here = document.querySelector(".pages [aria-current]");
if (here) here.closest("ul").scrollLeft = here.offsetLeft - innerWidth / 2;

// ---- theme

const theme = document.querySelector("#theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function nameOther() {
  const other = (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
  theme.querySelector(".name").textContent = other === "dark" ? "Dark" : "Light";
  theme.setAttribute("aria-label", `Change to the ${other} theme`);
  return other;
}

theme.addEventListener("click", () => {
  root.dataset.theme = nameOther();
  kept.set("theme", root.dataset.theme);
  nameOther();
});
prefersDark.addEventListener("change", nameOther);
nameOther();

// ---- symbols

let lit = null;

function light(name) {
  lit = name;
  root.classList.toggle("lighting", lit !== null);
  for (const element of all("[data-symbol]")) {
    const is = element.dataset.symbol === lit;
    element.classList.toggle("lit", is);
    if (element.matches("button")) element.setAttribute("aria-pressed", String(is));
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("a[href]") || !getSelection().isCollapsed) return;
  // A button holds its symbol's formula: the button counts.
  const symbol = event.target.closest("button.symbol") ?? event.target.closest(".symbol[data-symbol]");
  if (symbol) light(symbol.dataset.symbol === lit ? null : symbol.dataset.symbol);
});

// ---- columns

function show(key, shown) {
  for (const column of all(`[data-column="${key}"]`)) column.hidden = !shown;
}

for (const box of all("input[data-toggles]")) {
  const key = box.dataset.toggles;
  box.checked = kept.get(`column-${key}`) !== "hidden";
  show(key, box.checked);
  box.addEventListener("change", () => {
    show(key, box.checked);
    kept.set(`column-${key}`, box.checked ? "shown" : "hidden");
  });
}

// ---- boxes that scroll: the keyboard reaches them, by name, where and as long as something in them is out of sight

const reached = new ResizeObserver((entries) => {
  for (const { target: box } of entries) {
    const hides = box.scrollWidth > box.clientWidth || (!box.matches(".sideways, figure") && box.scrollHeight > box.clientHeight);
    const name = box.querySelector("caption, svg > title")?.textContent ?? (box.matches("pre") ? "Output" : "Formula");
    for (const [key, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": name })) {
      if (hides) box.setAttribute(key, value);
      else box.removeAttribute(key);
    }
  }
});
for (const box of all(".scroll, .sideways, .printed, .figures figure")) reached.observe(box);

// ---- contents: open beside the page, folded above it; the formula in view is marked

const contents = document.querySelector(".contents");
if (contents) {
  const beside = matchMedia("(min-width: 90rem)");
  const fold = () => { contents.open = beside.matches; };
  beside.addEventListener("change", fold);
  fold();

  const links = new Map(all("a", contents).map((link) => [link.hash.slice(1), link]));
  const mark = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      for (const [id, link] of links) {
        if (id === entry.target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  for (const block of all(".block")) mark.observe(block);
}

// ---- search

const MOST = 12;
const KINDS = ["formula", "function", "symbol", "page"];
const input = document.querySelector("#search");
const found = document.querySelector("#found");
const howMany = document.querySelector("#found-how-many");

// dZ1, dZ[1], dZ^[1] and dZ_1 are one name.
const squashed = (text) => text.replace(/[[\]{}^_«»]/g, "");
const words = (text) => squashed(text).split(/[^\p{L}\p{N}∂']+/u).filter(Boolean);
// An entry's own name: what stands before the colon, and of shallow_network.backward the function.
const named = (entry) => squashed(entry.title.split(":")[0].split(entry.kind === "function" ? "." : ":").pop());
const index = (window.SEARCH ?? []).map((entry, at) => ({
  ...entry, at, name: named(entry), inTitle: words(entry.title), inText: words(entry.text),
}));

// How well a word fits: the name itself, then a name, then its beginning, then the words about it; capitals count half.
function fit(word, entry) {
  const lower = word.toLowerCase();
  const rules = [
    (same) => same(entry.name) === same(word),
    (same) => entry.inTitle.some((one) => same(one) === same(word)),
    (same) => entry.inText.some((one) => same(one) === same(word)),
    (same) => entry.inTitle.some((one) => same(one).startsWith(same(word))),
    (same) => entry.inText.some((one) => same(one).startsWith(same(word))),
  ];
  for (const [i, rule] of rules.entries()) {
    if (rule((text) => text)) return 2 * (rules.length - i);
    if (rule((text) => text.toLowerCase())) return 2 * (rules.length - i) - 1;
  }
  return `${entry.name} ${entry.text}`.toLowerCase().includes(lower) ? 0.5 : 0;
}

function search(query) {
  const asked = words(query);
  if (!asked.length) return [];
  return index
    .map((entry) => ({ entry, fits: asked.map((word) => fit(word, entry)) }))
    .filter(({ fits }) => fits.every((one) => one > 0))
    .map(({ entry, fits }) => ({ entry, score: fits.reduce((sum, one) => sum + one) + 3 * (entry.name === squashed(query.trim())) }))
    .sort((a, b) => b.score - a.score || KINDS.indexOf(a.entry.kind) - KINDS.indexOf(b.entry.kind) || a.entry.at - b.entry.at)
    .map(({ entry }) => entry);
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function item(entry) {
  const link = element("a", "", "");
  link.href = entry.href;
  link.append(element("span", "title", entry.title), element("span", "kind", entry.kind), element("span", "about", entry.text));
  const made = document.createElement("li");
  made.append(link);
  return made;
}

function list() {
  const entries = search(input.value);
  const asked = input.value.trim() !== "";
  const none = asked && !entries.length ? [element("li", "nothing", "Nothing of that name")] : [];
  found.replaceChildren(...entries.slice(0, MOST).map(item), ...none);
  found.hidden = !asked;
  howMany.textContent = asked ? `${entries.length} found` : "";
}

function close() {
  found.hidden = true;
  howMany.textContent = "";
}

input.addEventListener("input", list);
input.addEventListener("focus", list);
input.closest(".search").addEventListener("focusout", (event) => {
  if (!input.closest(".search").contains(event.relatedTarget)) close();
});
found.addEventListener("click", (event) => {
  if (event.target.closest("a")) close();
});

function move(by) {
  const stops = [input, ...all("a", found)];
  const next = stops[stops.indexOf(document.activeElement) + by];
  if (!found.hidden && next) next.focus();
}

input.closest(".search").addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    event.preventDefault();
    move(by);
  } else if (event.key === "Enter" && document.activeElement === input) {
    found.querySelector("a")?.click();
  }
});

// ---- keys

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    input.focus();
    input.select();
  } else if (event.key === "Escape" && !found.hidden) {
    close();
    input.focus();
    close();
  } else if (event.key === "Escape") {
    light(null);
  }
});
