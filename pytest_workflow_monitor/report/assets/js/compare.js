// The step that went wrong beside the last good one, and the trace of the attempt.

function comparison(found, steps) {
  const pair = [
    found.now && comparedPicture(found.now, ["now"]),
    found.before &&
      comparedPicture(found.before, ["last passed, ", moment(origin + found.before_at, origin)]),
  ].filter(Boolean);
  return el(
    "div",
    { class: "block comparison" },
    data(found.step || "At the end of the test", "h4"),
    found.words ? el("p", { class: "against" }, found.words) : null,
    pair.length ? el("div", { class: "pair" }, pair) : null,
    found.events ? el("h5", {}, "Reported before it went wrong") : null,
    found.events ? eventsTable(found.events, steps) : null,
  );
}

function comparedPicture(item, label) {
  if (item.image !== undefined) return picture(item, label);
  return el(
    "figure",
    { class: "picture" },
    el("figcaption", {}, label),
    el(
      "p",
      { class: "absent" },
      data(item.problem || "Not in this file."),
      item.path ? data(` ${item.path}`, "span", "mono") : null,
    ),
  );
}

// Opening the details enlarges the picture, with the mouse as with the keyboard.
function picture(item, label) {
  const source = pictureSource(item.image);
  const image = el("img", { ...source, alt: readable(item.name) });
  return el(
    "figure",
    { class: "picture" },
    el("figcaption", {}, label),
    el("details", { class: "zoom" }, el("summary", { title: "Enlarge" }, image)),
  );
}

function trace(item) {
  const parts = [];
  if (item.problem) parts.push(data(item.problem, "p", "absent"));
  if (item.command) parts.push(command(item.command));
  else if (item.path) parts.push(data(item.path, "p", "mono"));
  if (item.viewer) parts.push(el("p", {}, webLink(item.viewer, "Open in the trace viewer")));
  return parts;
}

function command(text) {
  const words = el("code", { class: "data" }, text);
  const button = el("button", { type: "button", class: "plain" }, "Copy");
  button.addEventListener("click", () => copyCommand(words, button));
  return el("p", { class: "command" }, words, button);
}

async function copyCommand(words, button) {
  try {
    await navigator.clipboard.writeText(words.textContent);
    button.textContent = "Copied";
    announce("The command is in the clipboard.");
  } catch {
    getSelection().selectAllChildren(words);
    button.textContent = "Selected";
  }
  button.addEventListener("blur", () => (button.textContent = "Copy"), { once: true });
}
