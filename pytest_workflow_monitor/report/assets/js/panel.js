// One execution, opened: the error first, then time, then the rest; facts on the side.

function panel(row, detail, { titled, onClose }) {
  const attempts = detail.attempts;
  const body = el("div", {});
  const show = (attempt) => body.replaceChildren(attemptView(attempt, row));
  const box = el(
    "div",
    { class: "panel" },
    panelHead(row, detail, titled, onClose),
    attempts.length > 1 ? attemptTabs(row, attempts, body, show) : null,
    el("div", { class: "panel-grid" }, body, sidebar(row, detail)),
  );
  if (attempts.length) show(attempts[attempts.length - 1]);
  else body.append(el("p", { class: "block soft" }, "Nothing is known yet of this execution."));
  return box;
}

function panelHead(row, detail, titled, onClose) {
  const copy = el("button", { type: "button", class: "plain" }, "Copy link");
  copy.addEventListener("click", () => copyLink(row, copy));
  const close = onClose
    ? el("button", { type: "button", class: "plain", onclick: onClose }, "Close")
    : null;
  const acts = el("span", { class: "acts" }, copy, close);
  if (!titled) return el("div", { class: "panel-head" }, description(detail), acts);
  const title = el("h3", { class: "panel-title data" }, readable(cut(row.name, 300)));
  const since = detail.since ? el("span", { class: "soft" }, sinceWords(detail.since)) : null;
  return el(
    "div",
    { class: "panel-head" },
    title,
    statusLabel(kindOf(row.status, row.flaky)),
    since,
    acts,
  );
}

function sinceWords([before, at, after]) {
  return at === null ? [before] : [`${before} `, moment(origin + at, origin), ` ${after}`];
}

function description(detail) {
  return detail.workflow.description
    ? data(detail.workflow.description, "p", "soft")
    : el("span", {});
}

async function copyLink(row, button) {
  const address = new URL(location.href);
  address.hash = encodeURIComponent(row.id);
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(address.href);
    button.textContent = "Copied";
    announce("The link is in the clipboard.");
  } catch {
    history.replaceState(null, "", address.hash);
    button.textContent = "The link is in the address bar";
  }
  button.addEventListener("blur", () => (button.textContent = words), { once: true });
}

let tabNumber = 0;

function attemptTabs(row, attempts, body, show) {
  tabNumber += 1;
  const name = `attempt-${tabNumber}`;
  body.id = `${name}-body`;
  body.setAttribute("role", "tabpanel");
  const tabs = attempts.map((attempt, index) =>
    el(
      "button",
      {
        type: "button",
        role: "tab",
        id: `${name}-${index}`,
        class: `s-${attempt.status}`,
        "aria-controls": body.id,
      },
      mark(attempt.status),
      `Attempt ${attempt.number}`,
      el("span", { class: "unseen" }, `, ${KIND_WORDS[attempt.status]}`),
    ),
  );
  const select = (index) => {
    tabs.forEach((tab, other) => {
      tab.setAttribute("aria-selected", String(other === index));
      tab.tabIndex = other === index ? 0 : -1;
    });
    body.setAttribute("aria-labelledby", tabs[index].id);
    show(attempts[index]);
  };
  tabs.forEach((tab, index) => tab.addEventListener("click", () => select(index)));
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": "Attempts" }, tabs);
  list.addEventListener("keydown", (event) => moveTab(event, tabs));
  select(attempts.length - 1);
  return list;
}

function moveTab(event, tabs) {
  const current = tabs.indexOf(document.activeElement);
  const last = tabs.length - 1;
  const next = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: last }[event.key];
  if (next === undefined || current < 0) return;
  event.preventDefault();
  const tab = tabs[(next + tabs.length) % tabs.length];
  tab.focus();
  tab.click();
}

function attemptView(attempt, row) {
  const view = document.createDocumentFragment();
  for (const error of attempt.errors || []) view.append(failure(error, attempt.status));
  if (!attempt.errors && PROBLEMS.has(attempt.status)) {
    view.append(reasons("What happened", [row.why], attempt.status));
  }
  if (attempt.degraded)
    view.append(reasons("Why it is not a full pass", attempt.degraded, "degraded"));
  if (attempt.skip_reason)
    view.append(reasons("Why it was skipped", [attempt.skip_reason], "skipped"));
  if (attempt.comparison) view.append(comparison(attempt.comparison, attempt.steps || []));
  view.append(block("Steps", waterfall(attempt), stepsNote(attempt)));
  if (attempt.metrics) view.append(block("Metrics", ...metrics(attempt.metrics)));
  const reported = events(attempt);
  if (reported.length) view.append(block("Console and network", ...reported));
  const traces = (attempt.attachments || []).filter((item) => item.kind === "trace");
  if (traces.length) view.append(block("Trace", ...traces.flatMap(trace)));
  if (attempt.outputs) view.append(block("Output", attempt.outputs.map(output)));
  const others = otherAttachments(attempt);
  if (others.length) {
    const shown = others.map((item) => attachment(item, attempt.steps));
    view.append(block("Attachments", el("div", { class: "attachments" }, shown)));
  }
  return view;
}

// Those that have no place of their own further up.
function otherAttachments(attempt) {
  const compared = attempt.comparison?.now;
  const isShown = (item) =>
    item.kind === "trace" || (compared?.path && item.path === compared.path);
  return (attempt.attachments || []).filter((item) => !isShown(item));
}

function stepsNote(attempt) {
  if (attempt.steps_dropped) {
    return el(
      "p",
      { class: "soft small" },
      `${plural(attempt.steps_dropped, "more step")} were not kept.`,
    );
  }
  if (attempt.steps) return null;
  const words = [
    "No steps were recorded. ",
    el("code", {}, 'with step("…"):'),
    " in the test makes them.",
  ];
  return el("p", { class: "soft small" }, words);
}

function reasons(title, texts, kind) {
  return block(
    title,
    el(
      "ul",
      { class: `reasons s-${kind}` },
      texts.map((text) => data(text, "li")),
    ),
  );
}

function sidebar(row, detail) {
  const workflow = detail.workflow;
  const place = workflow.line ? `${workflow.nodeid} (line ${workflow.line})` : workflow.nodeid;
  const facts = [
    ["Id", data(row.key, "span", "mono")],
    ["Test", data(place, "span", "mono")],
    ["Started", moment(origin + detail.at, origin)],
    ["Priority", row.priority],
    ["Owner", row.owner && data(row.owner)],
    ["Tags", row.tags && data(row.tags.join(", "))],
    ["Type", workflow.type && data(workflow.type)],
    ["Runbook", workflow.runbook && webLink(workflow.runbook)],
    [
      "Schedule",
      workflow.cron
        ? data(`${workflow.cron} ${workflow.timezone || "UTC"}`, "span", "mono")
        : workflow.every_seconds && `every ${duration(workflow.every_seconds * 1000)}`,
    ],
    ["Timeout", workflow.timeout_seconds && duration(workflow.timeout_seconds * 1000)],
    ["Retries", workflow.retries && String(workflow.retries)],
    [
      "Slow after",
      workflow.degraded_after_seconds && duration(workflow.degraded_after_seconds * 1000),
    ],
    ["Worker", detail.attempts.length && detail.attempts[detail.attempts.length - 1].worker],
    ...Object.entries(detail.dimensions || {}).map(([name, value]) => [name, data(value)]),
    ...Object.entries(detail.labels || {}).map(([name, value]) => [name, data(value)]),
  ];
  const sheet = el("dl", { class: "sheet" });
  for (const [name, value] of facts) {
    if (value) sheet.append(data(name, "dt"), el("dd", {}, value));
  }
  return el("div", {}, historyBlock(row, detail), block("Details", sheet));
}

function historyBlock(row, detail) {
  if (!detail.history) {
    const words = hasHistory
      ? "This is the first run that is known of this workflow."
      : "Earlier runs could not be asked for: no database was reachable.";
    return block("History", el("p", { class: "soft" }, words));
  }
  const normal = detail.history.normal;
  const words = normal
    ? `Normally ${duration(normal.median_ms)}, mostly ${duration(normal.low_ms)} to ${duration(normal.high_ms)}, from ${grouped(normal.sample_size)} passes.`
    : "Too few passes to say what is normal.";
  return block(
    "History",
    historyChart(row, detail),
    el("p", { class: "soft small" }, words),
    historyTable(row, detail),
  );
}
