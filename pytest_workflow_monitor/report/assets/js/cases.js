// What needs attention is in the page already; opening a case replaces its plain body by a panel.

function startCases(rows) {
  for (const box of document.querySelectorAll(".case")) {
    const row = rows[Number(box.dataset.position)];
    box.addEventListener("toggle", () => {
      if (!box.open) return;
      fillCase(box, row);
      remember(row.id);
    });
    if (box.open) fillCase(box, row);
  }
}

async function fillCase(box, row) {
  if (box.classList.contains("is-filled")) return;
  box.classList.add("is-filled");
  const detail = await loadDetail(row.position);
  box.querySelector(".case-body").replaceChildren(panel(row, detail, { titled: false }));
}

function findCase(row) {
  return document.querySelector(`.case[data-position="${row.position}"]`);
}

function openCase(box) {
  const fold = box.closest(".more");
  if (fold) fold.open = true;
  box.open = true;
  box.scrollIntoView({ block: "start" });
  box.querySelector("summary").focus({ preventScroll: true });
}
