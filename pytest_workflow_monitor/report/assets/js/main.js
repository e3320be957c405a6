// Starts the page. The first picture is HTML alone; everything here follows after it.

function sayTimesLocally() {
  for (const element of document.querySelectorAll("time")) {
    const at = Date.parse(element.dateTime);
    element.title = fullInstant(at);
    const isStart = element.closest(".facts") !== null;
    const day = new Date(at);
    element.textContent = isStart
      ? `${day.getDate()} ${MONTHS[day.getMonth()]} ${day.getFullYear()} ${clock(day)}`
      : instant(at, origin);
  }
}

// The address names the open execution, so that it can be sent to somebody.
function remember(runId) {
  history.replaceState(null, "", `#${encodeURIComponent(runId)}`);
}

function forget() {
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
}

function namedRun() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

async function openNamed(table, filters, rowsById) {
  const row = rowsById.get(namedRun());
  if (!row) return;
  const box = findCase(row);
  if (box) {
    openCase(box);
    return;
  }
  if (!table.shown.includes(row)) filters.clear();
  await table.open(row);
  table.moveTo(table.shown.indexOf(row));
}

async function startTable() {
  const rows = prepareRows(await loadRows());
  const rowsById = new Map(rows.map((row) => [row.id, row]));
  const table = new Table(rows);
  const filters = new Filters(rows, () => table.filter(filters.matcher(), filters.active));
  table.arrange();
  startCases(rows);
  startKeys(table);
  addEventListener("hashchange", () => openNamed(table, filters, rowsById));
  await openNamed(table, filters, rowsById);
}

async function start() {
  startTheme();
  findPictures();
  sayTimesLocally();
  if (byId("table")) await startTable();
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
}

if (typeof DecompressionStream === "undefined") {
  document.documentElement.classList.remove("live");
} else {
  requestAnimationFrame(() => setTimeout(start));
}
