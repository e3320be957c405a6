// Elements are only ever made of names written here and of text nodes: data never becomes markup.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// Text that came from a test.
function data(text, tag = "span", css = "") {
  return el(tag, { class: `data ${css}`.trimEnd() }, readable(String(text)));
}

function mark(kind) {
  const use = svg("use", { href: `#m-${SHAPES[kind]}` });
  return svg("svg", { class: "mark", "aria-hidden": "true" }, use);
}

function statusLabel(kind) {
  return el("span", { class: `status s-${kind}` }, mark(kind), KIND_WORDS[kind]);
}

function moment(milliseconds, reference) {
  const at = new Date(milliseconds);
  return el(
    "time",
    { datetime: at.toISOString(), title: fullInstant(milliseconds) },
    instant(milliseconds, reference),
  );
}

function block(title, ...children) {
  return el("div", { class: "block" }, title ? el("h4", {}, title) : null, ...children);
}

// A link only to the web; anything else stays text.
function webLink(address, words) {
  let url = null;
  try {
    url = new URL(address);
  } catch {
    return data(address);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return data(address);
  return el("a", { href: url.href, rel: "noreferrer", class: "data" }, words || readable(address));
}

// A box that scrolls inside itself has to be reachable with the keyboard.
function code(label, ...children) {
  const box = el("pre", { class: "code data", role: "group", "aria-label": label }, ...children);
  requestAnimationFrame(() => {
    if (box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  });
  return box;
}

function announce(text) {
  byId("announce").textContent = text;
}
