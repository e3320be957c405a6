// Small pictures: status marks, as report/pictures.py draws them, and durations in time.

const LETTERS = {
  p: "passed",
  y: "flaky",
  d: "degraded",
  f: "failed",
  t: "timed_out",
  e: "error",
  c: "crashed",
  i: "interrupted",
  s: "skipped",
  r: "running",
};
const STRIP_BARS = {
  passed: [[8, 8]],
  flaky: [
    [8, 8],
    [3, 3],
  ],
  degraded: [[4, 12]],
  failed: [[0, 16]],
  timed_out: [[0, 16]],
  error: [
    [0, 7],
    [9, 7],
  ],
  crashed: [
    [0, 7],
    [9, 7],
  ],
  interrupted: [
    [0, 7],
    [9, 7],
  ],
  skipped: [[13, 3]],
  running: [[13, 3]],
};

function countKinds(letters) {
  const counts = {};
  for (const letter of letters) counts[LETTERS[letter]] = (counts[LETTERS[letter]] || 0) + 1;
  return Object.entries(counts)
    .map(([kind, count]) => `${count} ${KIND_WORDS[kind].toLowerCase()}`)
    .join(", ");
}

function strip(letters) {
  const runs = letters.length > 1 ? `last ${letters.length} runs` : "this run";
  const picture = svg("svg", {
    class: "strip",
    viewBox: "0 0 98 16",
    role: "img",
    "aria-label": `${runs}: ${countKinds(letters)}`,
  });
  const paths = new Map();
  [...letters].forEach((letter, index) => {
    const kind = LETTERS[letter];
    const x = (20 - letters.length + index) * 5;
    const bars = STRIP_BARS[kind].map(([top, height]) => `M${x} ${top}h3v${height}h-3z`).join("");
    paths.set(kind, (paths.get(kind) || "") + bars);
  });
  for (const [kind, d] of paths) picture.append(svg("path", { class: `s-${kind}`, d }));
  return picture;
}

// All runs that are known of a workflow, oldest first, this one last.
function runsOf(row, detail) {
  const past = detail.history;
  const runs = past
    ? [...past.letters].map((letter, index) => ({
        kind: LETTERS[letter],
        ms: past.ms[index],
        at: origin + past.at[index] * 1000,
      }))
    : [];
  runs.push({ kind: kindOf(row.status, row.flaky), ms: row.ms ?? null, at: origin + detail.at });
  return runs;
}

function historyChart(row, detail) {
  const runs = runsOf(row, detail);
  const normal = detail.history.normal;
  const top = Math.max(1, normal ? normal.high_ms : 0, ...runs.map((run) => run.ms || 0));
  const picture = svg("svg", {
    viewBox: "0 0 100 72",
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `Durations of the last ${runs.length} runs, ${countKinds(row.recent)} lately`,
  });
  const y = (ms) => 72 - (72 * ms) / top;
  if (normal) picture.append(...normalRange(normal, y));
  const step = 100 / Math.max(runs.length, 20);
  runs.forEach((run, index) =>
    picture.append(runBar(run, 100 - (runs.length - index) * step, step, y)),
  );
  return el(
    "div",
    { class: "chart" },
    el("div", { class: "scale" }, el("span", {}, duration(top)), el("span", {}, "0")),
    picture,
    el(
      "div",
      { class: "ends" },
      moment(runs[0].at, origin),
      moment(runs[runs.length - 1].at, origin),
    ),
  );
}

function normalRange(normal, y) {
  const height = Math.max(1, y(normal.low_ms) - y(normal.high_ms));
  const middle = y(normal.median_ms);
  return [
    svg("rect", { class: "band", x: 0, width: 100, y: y(normal.high_ms), height }),
    svg("line", { class: "middle", x1: 0, x2: 100, y1: middle, y2: middle }),
  ];
}

function runBar(run, x, step, y) {
  const height = run.ms === null ? 3 : Math.max(2, 72 - y(run.ms));
  const words = `${instant(run.at, origin)}: ${KIND_WORDS[run.kind].toLowerCase()}, ${duration(run.ms)}`;
  return svg(
    "rect",
    { class: `bar s-${run.kind}`, x: x + step * 0.15, width: step * 0.7, y: 72 - height, height },
    svg("title", {}, words),
  );
}

function historyTable(row, detail) {
  const lines = runsOf(row, detail)
    .reverse()
    .map((run) =>
      el(
        "tr",
        {},
        el("td", {}, moment(run.at, origin)),
        el("td", {}, statusLabel(run.kind)),
        el("td", { class: "number" }, duration(run.ms)),
      ),
    );
  const heads = ["When", "Status", "Took"].map((name, index) =>
    el("th", { scope: "col", class: index === 2 ? "number" : null }, name),
  );
  const table = el(
    "table",
    { class: "grid-table" },
    el("thead", {}, el("tr", {}, heads)),
    el("tbody", {}, lines),
  );
  return el("details", { class: "fold" }, el("summary", {}, "As a table"), table);
}
