// What an attempt left behind: errors, output, attachments.

const OUTPUT_LINES = 200;

function failure(error, kind) {
  const [first, ...rest] = readable(error.message || "").split("\n");
  const phase = error.phase === "call" ? "" : ` in ${PHASE_NAMES[error.phase].toLowerCase()}`;
  return el(
    "div",
    { class: `block failure s-${kind}` },
    el(
      "p",
      { class: "mono" },
      data(error.type || "", "span", "type"),
      el("span", { class: "soft" }, phase),
    ),
    el("pre", { class: "message data" }, cut(first, 2000)),
    rest.some((line) => line.trim())
      ? code("Message", rest.join("\n").replace(/^\n+|\s+$/g, ""))
      : null,
    error.file ? failingLine(error) : null,
    traceback(error),
  );
}

function failingLine(error) {
  const place = error.line ? `${error.file}:${error.line}` : error.file;
  return code(
    "Failing line",
    data(place, "span", "at"),
    "\n",
    readable(error.source_line || "").trim(),
  );
}

function traceback(error) {
  if (!error.traceback) return null;
  const lines = error.traceback.split("\n").length;
  const isTold = (error.message || "").trim().includes("\n");
  const summary = el("summary", {}, `Traceback · ${plural(lines, "line")}`);
  return el(
    "details",
    { class: "fold", open: lines <= 40 && !isTold },
    summary,
    code("Traceback", toldLines(error.traceback)),
  );
}

// The lines that pytest begins with E tell what went wrong; the others step back.
function toldLines(text) {
  return readable(text)
    .split("\n")
    .map((line) =>
      /^E(\s|$)/.test(line) ? `${line}\n` : el("span", { class: "soft" }, `${line}\n`),
    );
}

function output(item) {
  const lines = readable(item.text).replace(/\n$/, "").split("\n");
  const box = code(item.name, lines.slice(-OUTPUT_LINES).join("\n"));
  const left = lines.length - OUTPUT_LINES;
  const dropped = item.dropped_chars
    ? `, ${grouped(item.dropped_chars)} characters before it were not kept`
    : "";
  const summary = el(
    "summary",
    {},
    data(item.name),
    el("span", { class: "soft" }, ` · ${plural(lines.length, "line")}${dropped}`),
  );
  const all = el(
    "button",
    { type: "button", class: "plain" },
    `Show the ${plural(left, "line")} before`,
  );
  all.addEventListener("click", () => {
    box.textContent = lines.join("\n");
    all.remove();
  });
  return el("details", { class: "fold" }, summary, left > 0 ? all : null, box);
}

function attachment(item, steps) {
  const step = (steps || []).find((found) => found.index === item.step);
  const where = step ? ` at “${readable(cut(step.name, 80))}”` : "";
  const about = `${fileSize(item.size_bytes)}${where}`;
  if (item.image !== undefined) return picture(item, [data(item.name), ` · ${about}`]);
  if (item.text !== undefined) return attachedText(item, about);
  return el(
    "p",
    {},
    data(item.name),
    el("span", { class: "soft" }, ` · ${item.problem ? readable(item.problem) : about}`),
    item.path ? el("span", { class: "soft mono data" }, ` ${readable(item.path)}`) : null,
  );
}

function attachedText(item, about) {
  const summary = el("summary", {}, data(item.name), el("span", { class: "soft" }, ` · ${about}`));
  return el("details", { class: "fold" }, summary, code(item.name, readable(item.text)));
}
