// Numbers and instants as people say them; the same as analysis/wording.py.

const UNKNOWN = "–";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
// Worst first.
const KIND_WORDS = {
  crashed: "Crashed",
  error: "Error",
  failed: "Failed",
  timed_out: "Timed out",
  interrupted: "Interrupted",
  degraded: "Degraded",
  flaky: "Flaky",
  passed: "Passed",
  running: "Running",
  skipped: "Skipped",
};
const SHAPES = {
  passed: "check",
  degraded: "bang",
  flaky: "wave",
  failed: "cross",
  timed_out: "cross",
  error: "ring",
  crashed: "ring",
  interrupted: "ring",
  skipped: "dash",
  running: "dots",
};
const PROBLEMS = new Set(["failed", "error", "timed_out", "crashed", "interrupted"]);
const PRIORITIES = ["critical", "high", "medium", "low"];
const PHASE_NAMES = { setup: "Set-up", call: "Test", teardown: "Tear-down" };

const whole = (value) => Math.floor(value + 0.5);

function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined || !Number.isFinite(milliseconds)) {
    return UNKNOWN;
  }
  if (milliseconds < 0) return "-" + duration(-milliseconds);
  if (milliseconds < 1) return milliseconds === 0 ? "0 ms" : "<1 ms";
  if (whole(milliseconds) < 1000) return `${whole(milliseconds)} ms`;
  const tenths = whole(milliseconds / 100);
  if (tenths < 600) return `${Math.floor(tenths / 10)}.${tenths % 10} s`;
  return longDuration(whole(milliseconds / 1000));
}

function longDuration(seconds) {
  const scales = [
    [86400, "d", 3600, "h"],
    [3600, "h", 60, "min"],
    [60, "min", 1, "s"],
  ];
  const [size, unit, smaller, smallerUnit] = scales.find(([least]) => seconds >= least);
  const rest = Math.floor((seconds % size) / smaller);
  const head = `${Math.floor(seconds / size)} ${unit}`;
  return rest ? `${head} ${rest} ${smallerUnit}` : head;
}

function fileSize(bytes) {
  let value = bytes;
  let unit = "B";
  for (const larger of ["kB", "MB", "GB", "TB"]) {
    if (value < 1000) break;
    value /= 1000;
    unit = larger;
  }
  return `${value.toFixed(unit !== "B" && unit !== "kB" && value < 10 ? 1 : 0)} ${unit}`;
}

function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function plural(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function clock(moment) {
  return `${String(moment.getHours()).padStart(2, "0")}:${String(moment.getMinutes()).padStart(2, "0")}`;
}

// In the reader's zone: 14:20 on the day of the session, else 12 Nov 14:20.
function instant(milliseconds, reference) {
  const moment = new Date(milliseconds);
  const base = new Date(reference);
  if (moment.toDateString() === base.toDateString()) return clock(moment);
  const day = `${moment.getDate()} ${MONTHS[moment.getMonth()]}`;
  const sameYear = moment.getFullYear() === base.getFullYear();
  return `${day} ${sameYear ? "" : `${moment.getFullYear()} `}${clock(moment)}`;
}

function fullInstant(milliseconds) {
  const moment = new Date(milliseconds);
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts(moment)
    .find((part) => part.type === "timeZoneName").value;
  const day = `${moment.getDate()} ${MONTHS[moment.getMonth()]} ${moment.getFullYear()}`;
  const seconds = String(moment.getSeconds()).padStart(2, "0");
  return `${day} ${clock(moment)}:${seconds} ${zone} (${moment.toISOString()})`;
}

// Terminal colours are removed and control characters become visible.
function readable(text) {
  return text
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]/g, "")
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "\ufffd");
}

function cut(text, limit) {
  return text.length <= limit ? text : text.slice(0, limit - 1).trimEnd() + "…";
}

function kindOf(status, flaky) {
  return flaky && status === "passed" ? "flaky" : status;
}
