// What the reader asks to see: text, statuses, priority, tag and owner.

class Filters {
  constructor(rows, onChange) {
    this.onChange = onChange;
    this.kinds = new Set();
    this.search = byId("search");
    this.selects = { priority: byId("priority"), tag: byId("tag"), owner: byId("owner") };
    this.clearButton = byId("clear");
    this.fill(rows);
    this.listen();
  }

  fill(rows) {
    const counts = {};
    const owners = new Set();
    const tags = new Set();
    const priorities = new Set();
    for (const row of rows) {
      counts[row.kind] = (counts[row.kind] || 0) + 1;
      priorities.add(row.priority);
      if (row.owner) owners.add(row.owner);
      for (const tag of row.tags || []) tags.add(tag);
    }
    this.fillChips(counts);
    this.fillSelect(
      this.selects.priority,
      PRIORITIES.filter((name) => priorities.has(name)),
    );
    this.fillSelect(this.selects.tag, [...tags].sort());
    this.fillSelect(this.selects.owner, [...owners].sort());
  }

  fillChips(counts) {
    const present = Object.keys(KIND_WORDS).filter((kind) => counts[kind]);
    byId("chips").hidden = present.length < 2;
    for (const kind of present) {
      const button = el(
        "button",
        { type: "button", class: `s-${kind}`, "aria-pressed": "false", "data-kind": kind },
        mark(kind),
        `${KIND_WORDS[kind]} ${grouped(counts[kind])}`,
      );
      button.addEventListener("click", () => this.toggle(kind, button));
      byId("chips").append(button);
    }
  }

  fillSelect(select, values) {
    select.hidden = values.length < 2;
    for (const value of values) select.append(el("option", { value }, readable(cut(value, 60))));
  }

  listen() {
    byId("toolbar").addEventListener("submit", (event) => event.preventDefault());
    this.search.addEventListener("input", () => this.changed());
    for (const select of Object.values(this.selects)) {
      select.addEventListener("change", () => this.changed());
    }
    this.clearButton.addEventListener("click", () => {
      this.clear();
      this.search.focus();
    });
  }

  toggle(kind, button) {
    if (!this.kinds.delete(kind)) this.kinds.add(kind);
    button.setAttribute("aria-pressed", String(this.kinds.has(kind)));
    this.changed();
  }

  clear() {
    this.search.value = "";
    this.kinds.clear();
    for (const select of Object.values(this.selects)) select.value = "";
    for (const chip of byId("chips").children) chip.setAttribute("aria-pressed", "false");
    this.changed();
  }

  changed() {
    this.clearButton.hidden = !this.active;
    this.onChange();
  }

  get active() {
    const chosen = Object.values(this.selects).some((select) => select.value);
    return chosen || this.kinds.size > 0 || this.search.value.trim() !== "";
  }

  // All words must occur somewhere in the text of a row.
  matcher() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { priority, tag, owner } = this.selects;
    return (row) =>
      (!this.kinds.size || this.kinds.has(row.kind)) &&
      (!priority.value || row.priority === priority.value) &&
      (!owner.value || row.owner === owner.value) &&
      (!tag.value || (row.tags || []).includes(tag.value)) &&
      words.every((word) => row.text.includes(word));
  }
}

function searchText(row) {
  const parts = [row.name, row.key, row.variant, row.owner, row.step, row.why, ...(row.tags || [])];
  return parts.filter(Boolean).join("\n").toLowerCase();
}
