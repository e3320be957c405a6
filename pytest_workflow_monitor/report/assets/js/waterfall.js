// The steps of an attempt in time: nesting on the left, bars in the middle, durations right.

// Steps in the order of their nesting, each once; a damaged parent makes a step a root.
function nested(steps) {
  const known = new Set(steps.map((step) => step.index));
  const children = new Map();
  for (const step of steps) {
    const isChild = known.has(step.parent) && step.parent !== step.index;
    const key = isChild ? step.parent : null;
    if (!children.has(key)) children.set(key, []);
    children.get(key).push(step);
  }
  const seen = new Set();
  const lines = [];
  for (const root of [...(children.get(null) || []), ...steps]) {
    const pending = [[root, 0]];
    while (pending.length) {
      const [step, depth] = pending.pop();
      if (seen.has(step.index)) continue;
      seen.add(step.index);
      lines.push({ step, depth });
      const below = children.get(step.index) || [];
      for (const child of [...below].reverse()) pending.push([child, depth + 1]);
    }
  }
  return lines;
}

function waterfall(attempt) {
  const steps = attempt.steps || [];
  const ends = steps.map((step) => (step.at || 0) + (step.ms || 0));
  const whole = ends.reduce((most, end) => Math.max(most, end), attempt.ms || 1);
  const lines = [];
  let start = 0;
  ["setup", "call", "teardown"].forEach((phase, index) => {
    const ms = attempt.phases[index];
    const inside = steps.filter((step) => (step.phase || "call") === phase);
    if (ms || inside.length) lines.push(phaseLine(phase, start, ms, whole));
    for (const { step, depth } of nested(inside))
      lines.push(stepLine(step, depth + 1, whole, steps));
    start += ms;
  });
  const table = el(
    "table",
    { class: "waterfall" },
    el("thead", {}, waterfallHead(whole)),
    el("tbody", {}, lines),
  );
  return steps.some((step) => step.usual !== undefined) ? [table, legend()] : [table];
}

function legend() {
  const line = svg("rect", { class: "usual", y: 1, width: 24, height: 2 });
  const key = svg("svg", { class: "key", viewBox: "0 0 24 4", "aria-hidden": "true" }, line);
  return el("p", { class: "soft small legend" }, key, "What the step normally takes");
}

function waterfallHead(whole) {
  const axis = el("span", { class: "axis" });
  for (const tick of ticks(whole)) {
    const label = el("span", {}, tick === 0 ? "0" : duration(tick));
    label.style.left = `${(100 * tick) / whole}%`;
    axis.append(label);
  }
  return el(
    "tr",
    {},
    el("th", { class: "w-name", scope: "col" }, "Step"),
    el(
      "th",
      { scope: "col" },
      el("span", { class: "unseen" }, "When, in time since the start"),
      axis,
    ),
    el("th", { class: "w-time", scope: "col" }, "Took"),
  );
}

// At most five round instants, the last well inside the end.
function ticks(whole) {
  const rough = whole / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((value) => value >= rough);
  const found = [];
  for (let tick = 0; tick < whole * 0.93; tick += step) found.push(tick);
  return found;
}

// A bar, and under it a thin line for what is usual.
function track(start, ms, whole, usual) {
  const x = Math.min(Math.max((100 * start) / whole, 0), 99.5);
  const width = (length) => Math.min(Math.max((100 * length) / whole, 0.5), 100 - x);
  const bar = svg("rect", { x, width: width(ms), y: 5, height: 8 });
  const line =
    usual === undefined
      ? null
      : svg("rect", { class: "usual", x, width: width(usual), y: 15, height: 2 });
  const picture = { class: "track", viewBox: "0 0 100 20", preserveAspectRatio: "none" };
  return svg("svg", { ...picture, "aria-hidden": "true" }, bar, line);
}

function phaseLine(phase, start, ms, whole) {
  return el(
    "tr",
    { class: "phase" },
    el("th", { class: "w-name", scope: "row" }, PHASE_NAMES[phase]),
    el("td", {}, track(start, ms, whole)),
    el("td", { class: "w-time" }, duration(ms)),
  );
}

function stepLine(step, depth, whole, steps) {
  const kind = step.status || "passed";
  const notes = stepNotes(step, kind, steps);
  const name = el(
    "span",
    { class: `d${Math.min(depth, 8)}` },
    el(
      "span",
      { class: "name-line" },
      mark(kind),
      data(step.name),
      el("span", { class: "unseen" }, `, ${KIND_WORDS[kind]}`),
    ),
    notes ? el("span", { class: "soft small data" }, notes) : null,
  );
  return el(
    "tr",
    { class: `s-${kind}${kind === "passed" ? "" : " bad"}` },
    el("th", { class: "w-name", scope: "row" }, name),
    el("td", {}, track(step.at || 0, step.ms || 0, whole, step.usual)),
    el("td", { class: "w-time" }, duration(step.ms), usualWords(step)),
  );
}

// Seen where it matters, and always heard.
function usualWords(step) {
  if (step.usual === undefined) return null;
  const css = step.late ? "soft small" : "unseen";
  return el("span", { class: css }, ` normally ${duration(step.usual)}`);
}

// The error is said at the innermost step that it passed through.
function stepNotes(step, kind, steps) {
  const notes = [];
  if (step.optional) notes.push("optional");
  if (step.slower_than && (step.ms || 0) > step.slower_than * 1000) {
    notes.push(`slower than ${duration(step.slower_than * 1000)}`);
  }
  const isInner = !steps.some((other) => other.parent === step.index && other.error === step.error);
  const line = (isInner && step.error ? step.error : "").split("\n").find((text) => text.trim());
  if (line) notes.push(readable(cut(line.trim(), 200)));
  else if (kind === "running") notes.push("still open at the end");
  return notes.join(", ");
}
