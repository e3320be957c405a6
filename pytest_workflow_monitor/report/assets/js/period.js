// A report over a period: its tables can be sorted by any column.

const TURNED = { ascending: "descending", descending: "ascending" };

function valueOf(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value === undefined) return cell.textContent.trim();
  return cell.dataset.value === "" ? -Infinity : Number(cell.dataset.value);
}

function compare(one, other) {
  return typeof one === "number" && typeof other === "number"
    ? one - other
    : String(one).localeCompare(String(other), undefined, { numeric: true });
}

function sortBy(heading) {
  const order = TURNED[heading.getAttribute("aria-sort")] || "ascending";
  const sign = order === "ascending" ? 1 : -1;
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const column = heading.cellIndex;
  const body = heading.closest("table").tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
  rows.sort(([one], [other]) => sign * compare(one, other));
  body.append(...rows.map(([, row]) => row));
}

function makeSortable(heading) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  button.addEventListener("click", () => sortBy(heading));
  heading.append(button);
}

startTheme();
document.querySelectorAll(".grid thead th").forEach(makeSortable);
document.documentElement.dataset.ready = "yes";
