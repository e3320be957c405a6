// The keyboard: / filters, j and k move, Enter opens, Escape closes.

function startKeys(table) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return onEscape(table);
    if (event.target.closest("input, select, textarea")) return;
    const act = {
      "/": () => byId("search").focus(),
      j: () => step(table, 1),
      k: () => step(table, -1),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function onEscape(table) {
  const search = byId("search");
  if (document.activeElement === search) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
    search.blur();
    return;
  }
  const box = document.activeElement.closest(".case[open]");
  if (box) {
    box.open = false;
    box.querySelector("summary").focus();
  } else if (table.opened) {
    table.closeAndReturn();
  }
}

// One list for the keys: first the cases that are in sight, then the table.
function step(table, by) {
  const cases = [...document.querySelectorAll(".case > summary")].filter((item) =>
    item.checkVisibility(),
  );
  const focused = document.activeElement.closest(".row, .case");
  const inTable = focused?.classList.contains("row");
  const current = inTable
    ? cases.length + Number(focused.dataset.position)
    : cases.indexOf(focused?.querySelector("summary"));
  const next = Math.max(0, current + by);
  if (next < cases.length) {
    cases[next].focus({ preventScroll: true });
    cases[next].scrollIntoView({ block: "nearest" });
  } else {
    table.moveTo(next - cases.length);
  }
}
