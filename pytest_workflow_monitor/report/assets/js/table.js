// The table of all workflows. Only the rows in view, and a few around them, are in the document:
// padding above and below stands for the others. One execution can be open, below its row.

const MARGIN_ROWS = 12;
const MAX_PRINTED = 2000;
const FEW_ROWS = 200; // so many may all be in the document, where the browser's own search finds them
const SEVERITY = Object.keys(KIND_WORDS);
const SORT_KEYS = {
  status: (row) => row.rank,
  name: (row) => row.sortName,
  priority: (row) => PRIORITIES.indexOf(row.priority),
  owner: (row) => row.owner || "\uffff",
  time: (row) => -(row.ms ?? -1),
  normal: (row) => -(row.normal ?? -1),
};

class Table {
  constructor(rows) {
    this.rows = rows;
    this.shown = rows;
    this.body = byId("rows");
    this.sort = { key: "status", factor: 1 };
    this.elements = new Map();
    this.opened = null;
    this.isPrinting = false;
    this.body.replaceChildren();
    this.prepareSorting();
    this.listen();
  }

  listen() {
    const later = () => this.renderSoon();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    this.body.addEventListener("click", (event) => this.onClick(event));
    this.sizes = new ResizeObserver(later);
  }

  prepareSorting() {
    for (const head of document.querySelectorAll(".columns [data-sort]")) {
      const button = el("button", { type: "button" }, head.textContent);
      button.addEventListener("click", () => this.sortBy(head.dataset.sort));
      head.replaceChildren(button);
    }
    this.showSorting();
  }

  sortBy(key) {
    this.sort = { key, factor: this.sort.key === key ? -this.sort.factor : 1 };
    this.showSorting();
    this.arrange();
  }

  showSorting() {
    const descending = ["time", "normal"].includes(this.sort.key)
      ? this.sort.factor > 0
      : this.sort.factor < 0;
    for (const head of document.querySelectorAll(".columns [data-sort]")) {
      if (head.dataset.sort !== this.sort.key) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    }
  }

  filter(matches, isActive) {
    this.shown = this.rows.filter(matches);
    this.isFiltered = isActive;
    this.arrange();
    const all = grouped(this.rows.length);
    byId("found").textContent = isActive ? `${grouped(this.shown.length)} of ${all}` : "";
    byId("nothing").hidden = this.shown.length > 0;
    byId("table").setAttribute("aria-rowcount", String(this.shown.length + 1));
  }

  arrange() {
    const key = SORT_KEYS[this.sort.key];
    const factor = this.sort.factor;
    const compare = (one, other) =>
      key(one) < key(other) ? -factor : key(one) > key(other) ? factor : one.rank - other.rank;
    this.shown = [...this.shown].sort(compare);
    for (const element of this.elements.values()) element.remove();
    this.elements.clear();
    this.render();
  }

  renderSoon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.render();
    });
  }

  rowHeight() {
    return parseFloat(getComputedStyle(byId("table")).getPropertyValue("--row")) || 36;
  }

  openedAt() {
    return this.opened ? this.shown.indexOf(this.opened.row) : -1;
  }

  // First and last position that must be in the document, with their distance from the top.
  range(height, openAt, panelHeight) {
    const count = this.shown.length;
    if (count <= FEW_ROWS) return [0, count];
    if (this.isPrinting) return [0, Math.min(count, MAX_PRINTED)];
    const top = -this.body.getBoundingClientRect().top;
    const position = (y) => {
      const below = openAt >= 0 && y > (openAt + 1) * height;
      const corrected = below ? Math.max((openAt + 1) * height, y - panelHeight) : y;
      return Math.floor(corrected / height);
    };
    const start = Math.max(0, Math.min(count, position(top) - MARGIN_ROWS));
    const least = start + 2 * MARGIN_ROWS;
    return [start, Math.min(count, Math.max(least, position(top + innerHeight) + 1 + MARGIN_ROWS))];
  }

  render() {
    const height = this.rowHeight();
    const openAt = this.openedAt();
    const panelHeight = this.opened && openAt >= 0 ? this.panelHeight() : 0;
    const [start, end] = this.range(height, openAt, panelHeight);
    const before = openAt >= 0 && openAt < start ? panelHeight : 0;
    const after = openAt >= end ? panelHeight : 0;
    this.body.style.paddingTop = `${start * height + before}px`;
    this.body.style.paddingBottom = `${(this.shown.length - end) * height + after}px`;
    this.place(start, end, openAt);
  }

  panelHeight() {
    if (this.opened.panel.isConnected) this.opened.height = this.opened.panel.offsetHeight;
    return this.opened.height || 0;
  }

  place(start, end, openAt) {
    for (const [position, element] of this.elements) {
      if (position >= start && position < end) continue;
      element.remove();
      this.elements.delete(position);
    }
    if (this.opened && (openAt < start || openAt >= end)) this.opened.panel.remove();
    let next = null;
    for (let position = end - 1; position >= start; position -= 1) {
      if (position === openAt) next = this.putBefore(this.opened.panel, next);
      next = this.putBefore(this.element(position), next);
    }
  }

  putBefore(element, next) {
    if (element.parentNode !== this.body || element.nextSibling !== next)
      this.body.insertBefore(element, next);
    return element;
  }

  element(position) {
    let element = this.elements.get(position);
    if (!element) {
      element = rowElement(this.shown[position], position);
      this.elements.set(position, element);
    }
    element.classList.toggle("is-open", this.opened?.row === this.shown[position]);
    return element;
  }

  onClick(event) {
    const element = event.target.closest(".row");
    if (!element || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const row = this.shown[Number(element.dataset.position)];
    if (this.opened?.row === row) this.close();
    else this.open(row);
  }

  async open(row) {
    const detail = await loadDetail(row.position);
    this.close();
    const content = panel(row, detail, { titled: true, onClose: () => this.closeAndReturn() });
    const cell = el("div", { role: "cell" }, content);
    this.opened = { row, panel: el("div", { role: "row" }, cell), height: 0 };
    this.sizes.observe(this.opened.panel);
    remember(row.id);
    this.render();
  }

  close() {
    if (!this.opened) return false;
    this.sizes.disconnect();
    this.opened.panel.remove();
    this.opened = null;
    forget();
    this.render();
    return true;
  }

  closeAndReturn() {
    const position = this.openedAt();
    this.close();
    if (position >= 0) this.moveTo(position);
  }

  // Scrolls to a row, if it is not in view, and gives it the focus.
  moveTo(position) {
    const wanted = Math.max(0, Math.min(position, this.shown.length - 1));
    const height = this.rowHeight();
    const openAt = this.openedAt();
    const extra = openAt >= 0 && openAt < wanted ? this.panelHeight() : 0;
    const top = this.body.getBoundingClientRect().top + wanted * height + extra;
    if (top < 40 || top + height > innerHeight) scrollBy(0, top - innerHeight / 3);
    this.render();
    this.elements.get(wanted)?.querySelector("a").focus({ preventScroll: true });
  }

  print(isPrinting) {
    this.isPrinting = isPrinting;
    this.render();
  }
}

function rowElement(row, position) {
  const element = byId("row").content.firstElementChild.cloneNode(true);
  element.className = `row s-${row.kind}`;
  element.dataset.position = position;
  element.setAttribute("aria-rowindex", position + 2);
  const put = (css, text) => (element.querySelector(css).textContent = text);
  const label = element.querySelector(".status");
  label.replaceChildren(mark(row.kind), el("span", {}, KIND_WORDS[row.kind]));
  const link = element.querySelector("a");
  link.href = `#${encodeURIComponent(row.id)}`;
  link.textContent = readable(cut(row.name, 300));
  put(".variant", readable(row.variant || ""));
  put(".why", readable([row.step, row.why].filter(Boolean).join(": ")));
  put(".c-priority", row.priority);
  put(".c-owner", readable(row.owner || ""));
  put(".c-time", duration(row.ms));
  put(".c-normal", duration(row.normal));
  element.querySelector(".c-time").classList.toggle("late", Boolean(row.slow));
  element.querySelector(".c-past").replaceChildren(strip(row.recent));
  return element;
}

// What the table needs of every row, computed once.
function prepareRows(rows) {
  rows.forEach((row, position) => {
    row.position = position;
    row.kind = kindOf(row.status, row.flaky);
    row.sortName = row.name.toLowerCase();
    row.text = searchText(row);
  });
  const severity = (row) => (PROBLEMS.has(row.status) ? 0 : SEVERITY.indexOf(row.kind));
  const order = [...rows].sort(
    (one, other) =>
      severity(one) - severity(other) ||
      PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
      SEVERITY.indexOf(one.kind) - SEVERITY.indexOf(other.kind) ||
      (one.sortName < other.sortName ? -1 : one.sortName > other.sortName ? 1 : 0),
  );
  order.forEach((row, rank) => (row.rank = rank));
  return rows;
}
