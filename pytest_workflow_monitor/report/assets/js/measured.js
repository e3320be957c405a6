// What was measured, by visit to a page, and what pages and HTTP clients reported.

function metricsTable(group) {
  const title = group.page ? data(visitName(group)) : "Metric";
  const heads = [title, "Value", "Verdict"].map((name, index) =>
    el("th", { scope: "col", class: index === 1 ? "number" : null }, name),
  );
  return el(
    "table",
    { class: "grid-table metrics" },
    el("thead", {}, el("tr", {}, heads)),
    el("tbody", {}, group.metrics.map(metricLine)),
  );
}

function metricLine(metric) {
  const kind = metric.ok ? "passed" : "degraded";
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      data(metric.name, "span", "mono"),
      metric.label ? el("span", { class: "soft small" }, ` ${metric.label}`) : null,
    ),
    el("td", { class: "number" }, data(metric.value)),
    el(
      "td",
      {},
      metric.verdict
        ? el("span", { class: `status s-${kind}` }, mark(kind), data(metric.verdict))
        : null,
      metric.rating ? el("span", { class: "soft" }, ` ${metric.rating}`) : null,
    ),
  );
}

// Many visits fold into one line each; those beyond a budget stay open.
function metrics(groups) {
  return groups.map((group, index) => {
    if (!group.page || groups.length <= 3) return metricsTable(group);
    const isBeyond = group.metrics.some((metric) => metric.ok === false);
    const words = data(shortly(group), "span", "soft");
    const summary = el("summary", {}, data(visitName(group)), " ", words);
    return el("details", { class: "fold", open: isBeyond }, summary, metricsTable(group));
  });
}

function visitName(group) {
  return group.page + (group.visit ? `, visit ${group.visit}` : "");
}

// What is not good, or else that it is.
function shortly(group) {
  const rated = group.metrics.filter((metric) => metric.rating);
  const bad = rated.filter((metric) => metric.rating !== "good");
  if (!bad.length) return rated.length ? "all good" : "";
  return bad.map((metric) => `${metric.name} ${metric.value} ${metric.rating}`).join(", ");
}

const EVENTS_AT_ONCE = 100;

function events(attempt) {
  const found = attempt.events || [];
  const parts = [];
  if (attempt.counts) parts.push(el("p", { class: "soft" }, attempt.counts));
  if (found.length) parts.push(eventsTable(found, attempt.steps || []));
  if (attempt.events_dropped) {
    const words = `${grouped(attempt.events_dropped)} beyond the limit were not kept.`;
    parts.push(el("p", { class: "soft small" }, words));
  }
  if (attempt.pages) parts.push(pagesList(attempt.pages));
  return parts;
}

function eventsTable(found, steps) {
  const names = new Map(steps.map((step) => [step.index, step.name]));
  const heads = [
    ["At", "e-at number"],
    ["What", "e-what"],
    ["Status", "e-code number"],
    ["Took", "e-took number"],
  ].map(([name, css]) => el("th", { scope: "col", class: css }, name));
  const line = (event) => eventLine(event, names);
  const body = el("tbody", {}, found.slice(0, EVENTS_AT_ONCE).map(line));
  const table = el(
    "table",
    { class: "events" },
    el("thead", {}, el("tr", {}, heads)),
    body,
  );
  const left = found.slice(EVENTS_AT_ONCE);
  if (!left.length) return table;
  const all = el(
    "button",
    { type: "button", class: "plain" },
    `Show ${grouped(left.length)} more`,
  );
  all.addEventListener("click", () => {
    body.append(...left.map(line));
    all.remove();
  });
  return el("div", {}, table, all);
}

function eventLine(event, names) {
  const kind = event.kind || "failed";
  const step = names.get(event.step);
  const notes = [step ? `in “${cut(step, 300)}”` : "", event.place || ""].filter(Boolean);
  return el(
    "tr",
    { class: `s-${kind}` },
    el("td", { class: "e-at number" }, duration(event.at)),
    el(
      "td",
      { class: "e-what" },
      el("span", { class: "status" }, mark(kind), event.name),
      " ",
      ...eventText(event),
      event.times ? el("span", { class: "times" }, ` ×${grouped(event.times)}`) : null,
      notes.length ? data(notes.join(" · "), "span", "soft small") : null,
    ),
    el("td", { class: "e-code number" }, event.code === undefined ? "" : String(event.code)),
    el("td", { class: "e-took number" }, event.ms === undefined ? "" : duration(event.ms)),
  );
}

function eventText(event) {
  const said = event.method ? `${event.method} ${event.url || ""}` : event.text || "";
  return [longText(said), event.failure ? [" ", longText(event.failure)] : []].flat();
}

const LONG_TEXT = 600;

function longText(text) {
  const words = data(cut(text, LONG_TEXT), "span", "mono");
  if (text.length <= LONG_TEXT) return words;
  const all = el("button", { type: "button", class: "plain" }, "Show all of it");
  all.addEventListener("click", () => {
    words.textContent = readable(text);
    all.remove();
  });
  return el("span", {}, words, all);
}

function pagesList(pages) {
  const lines = pages.map((page, index) =>
    el(
      "li",
      {},
      el("span", { class: "soft" }, index ? "and " : "Ended on "),
      data(cut(page.title || "a page without a title", 200)),
      " ",
      webLink(page.url, readable(cut(page.url, 300))),
    ),
  );
  return el("ul", { class: "pages" }, lines);
}
