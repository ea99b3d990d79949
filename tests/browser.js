// What tests/browser.py asks of an opened page. Each function returns complaints, or what the page looks like.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const shown = (element) => element.checkVisibility({ visibilityProperty: true });
const box = (element) => element.getBoundingClientRect();
const short = (text) => text.trim().replace(/\s+/g, " ").slice(0, 40);

// Where an element stands, for a complaint: "article#dZ1 button.symbol".
function place(element) {
  const name = (one) => one.localName + (one.id ? `#${one.id}` : "") + [...one.classList].map((each) => `.${each}`).join("");
  const around = element.parentElement?.closest("[id]");
  return (around ? `${name(around)} ` : "") + name(element);
}

// ---- formulas

function formulasWithoutABox() {
  const empty = (element) => !(box(element).width > 0 && box(element).height > 0);
  const flat = (fraction) => {
    const [above, below] = [...fraction.children].map(box);
    return !(above.top < below.top && box(fraction).height > Math.max(above.height, below.height));
  };
  const formulas = all("math").filter((math) => shown(math.parentElement));
  return [
    ...formulas.filter(empty).map((math) => `${place(math)} "${short(math.textContent)}" has no box`),
    ...formulas.flatMap((math) => all("mfrac", math)).filter(flat)
      .map((fraction) => `${place(fraction)} "${short(fraction.textContent)}" is no taller than a line`),
  ];
}

// ---- symbols

function lit(symbol) {
  const [of, lit] = [`[data-symbol="${CSS.escape(symbol)}"]`, ".lit"];
  return [
    ...all(of).filter((one) => !one.matches(lit)).map((one) => `${place(one)} is not lit`),
    ...all(lit).filter((one) => !one.matches(of)).map((one) => `${place(one)} is lit and no ${symbol}`),
    ...all(`button${of}`).filter((one) => one.getAttribute("aria-pressed") !== "true").map((one) => `${place(one)} is not pressed`),
  ];
}

function dark() {
  const pressed = all("button[data-symbol][aria-pressed=true]").map((one) => `${place(one)} is still pressed`);
  return [...all(".lit").map((one) => `${place(one)} is still lit`), ...pressed];
}

// One element of the symbol in a formula, in code, in a drawing: the first that is seen, by where it stands.
function whereSymbolStands(symbol) {
  const kinds = { formula: "math", code: "pre", drawing: "svg" };
  return Object.fromEntries(Object.entries(kinds).flatMap(([kind, around]) => {
    const first = all(`${around} .symbol[data-symbol="${CSS.escape(symbol)}"]`).find((one) => shown(one) && !one.closest("button"));
    return first ? [[kind, first]] : [];
  }));
}

// ---- layout

function columns(block) {
  return all(".column[data-column]", block).filter(shown);
}

function notBelowOneAnother() {
  return all(".columns").flatMap((block) => columns(block).slice(1).flatMap((column, i) =>
    box(column).top >= box(columns(block)[i]).bottom ? [] : [`${place(column)} is not below ${columns(block)[i].dataset.column}`]));
}

function notBeside(keys) {
  return all(".columns").flatMap((block) => {
    const these = columns(block).filter((column) => keys.includes(column.dataset.column));
    return these.slice(1).flatMap((column, i) => {
      const [left, right] = [these[i], column];
      const apart = box(right).left >= box(left).right && box(right).top === box(left).top;
      const code = [left, right].map((one) => one.querySelector("pre.code")).filter(Boolean).map((one) => box(one).top);
      if (!apart) return [`${place(right)} is not beside ${left.dataset.column}`];
      return new Set(code).size > 1 ? [`the code of ${place(right)} does not begin where that of ${left.dataset.column} does`] : [];
    });
  });
}

function sideways() {
  const page = document.scrollingElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const scrolls = (element) => element && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  const wide = all("body *").filter((one) => box(one).right > page.clientWidth && !scrolls(one.parentElement));
  return [`the page is ${page.scrollWidth} wide, not ${page.clientWidth}: ${wide.slice(0, 3).map(place).join("; ") || "nothing sticks out to the right"}`];
}

// ---- colours (WCAG 2.2, 1.4.3)

const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

// Any CSS colour as [red, green, blue, alpha], all in [0, 1].
function colour(css, opacity = 1) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = css;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  return [red, green, blue, alpha * opacity];
}

function over([red, green, blue, alpha], below) {
  return [...[red, green, blue].map((value, i) => alpha * value + (1 - alpha) * below[i]), 1];
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [light, dim] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dim + 0.05);
}

function opacity(element) {
  return element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;
}

// The shapes that a drawing has painted under a text, in the order of painting.
function shapesUnder(text) {
  const [{ left, top, width, height }, svg] = [box(text), text.closest("svg")];
  const middle = new DOMPoint(left + width / 2, top + height / 2);
  return all("rect, circle, ellipse, polygon, path", svg).filter((shape) =>
    shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING && shown(shape) && !shape.closest("defs")
    && getComputedStyle(shape).fill.startsWith("rgb") && shape.isPointInFill(middle.matrixTransform(shape.getScreenCTM().inverse())));
}

// The colour of a page that paints no background, in its theme.
function sheet() {
  const probe = document.createElement("div");
  probe.style.backgroundColor = "Canvas";
  document.body.append(probe);
  const css = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return css;
}

function background(element) {
  const around = [];
  for (let one = element; one; one = one.parentElement) around.unshift(one);
  let below = colour(sheet());
  for (const one of around) below = over(colour(getComputedStyle(one).backgroundColor, opacity(one)), below);
  if (element.closest("svg")) {
    for (const shape of shapesUnder(element)) {
      const style = getComputedStyle(shape);
      below = over(colour(style.fill, Number(style.fillOpacity) * opacity(shape)), below);
    }
  }
  return below;
}

function lowContrast(theme) {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const elements = new Set();
  while (texts.nextNode()) if (texts.currentNode.data.trim()) elements.add(texts.currentNode.parentElement);
  const found = new Map();
  for (const element of elements) {
    if (!shown(element) || element.closest("script, style, title, desc, :disabled")) continue;
    const style = getComputedStyle(element);
    const below = background(element);
    const ink = over(colour(element.closest("svg") ? style.fill : style.color, opacity(element)), below);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 24 * 7 / 9 && Number(style.fontWeight) >= 700); // 18 pt, or 14 pt in bold
    const ratio = contrast(ink, below);
    const of = [element.localName, ...element.classList].join(".");
    if (ratio < (large ? 3 : 4.5)) found.set(of, `${theme}: ${place(element)} "${short(element.textContent)}" has a contrast of ${ratio.toFixed(2)}`);
  }
  return [...found.values()];
}

// ---- structure

function headings() {
  const found = all("h1, h2, h3, h4, h5, h6");
  const level = (heading) => Number(heading.localName[1]);
  const top = found.filter((heading) => level(heading) === 1);
  return [
    ...(top.length === 1 ? [] : [`the page has ${top.length} h1`]),
    ...found.filter((heading) => !heading.textContent.trim()).map((heading) => `${place(heading)} is empty`),
    ...found.flatMap((heading, i) => (level(heading) > (i ? level(found[i - 1]) : 0) + 1 ? [`${place(heading)} "${short(heading.textContent)}" skips a level`] : [])),
  ];
}

function unlabelled() {
  const hidden = (element) => element.closest("[aria-hidden=true], [hidden]");
  const named = (element) => element.getAttribute("aria-label")?.trim()
    || (element.getAttribute("aria-labelledby") ?? "").split(" ").some((id) => id && document.getElementById(id)?.textContent.trim());
  const titled = (svg) => [...svg.children].some((child) => child.localName === "title" && child.textContent.trim());
  const without = [
    ...all("img").filter((image) => !image.hasAttribute("alt")),
    ...all("svg").filter((svg) => !svg.parentElement.closest("svg") && !(named(svg) || titled(svg))),
    ...all("table").filter((table) => !(named(table) || table.caption?.textContent.trim())),
  ];
  return without.filter((element) => !hidden(element)).map((element) => `${place(element)} has no name`);
}
