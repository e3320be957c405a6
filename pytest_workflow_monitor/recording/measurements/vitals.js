// Runs at the start of every document of a test. It only listens: numbers are kept here and handed
// over as a text when the visit is about to end, a while after something changed, and when asked.
(() => {
  if (window.parent !== window || !/^(https?|file):$/.test(location.protocol)) return;

  const FIRST_PAUSE_MS = 250; // after a change, before it is handed over; each next one is longer
  const LAST_PAUSE_MS = 4000;
  const LONGEST_KEPT = 10; // INP leaves out one interaction in fifty
  const TASKS_KEPT = 200;
  const VISITS_KEPT = 50;
  const { performance, setTimeout, navigation } = window; // a test may replace them by a fake clock
  const now = performance.now.bind(performance);
  const entriesOf = performance.getEntriesByType.bind(performance);
  const began = performance.timeOrigin;
  const id = Math.random();

  // a document is one visit; each further path it shows without loading is another one
  const visits = [{ path: location.pathname, at: 0, interactions: 0, longest: [] }];
  let paint = null;
  let largest = null;
  let shift = 0;
  let session = { value: 0, first: 0, last: -Infinity };
  let tasks = [];
  let requests = 1;
  let bytes = 0;
  let bytesOfVisit = 0;
  const isOfLoad = (entry) => visits.length === 1 || entry.startTime < visits[1].at;

  const act = {
    paint(entry) {
      if (entry.name === "first-contentful-paint") paint = entry.startTime;
    },
    "largest-contentful-paint"(entry) {
      if (isOfLoad(entry)) largest = entry.startTime;
    },
    "layout-shift"(entry) {
      if (entry.hadRecentInput || !isOfLoad(entry)) return;
      const at = entry.startTime;
      if (at - session.last >= 1000 || at - session.first >= 5000) session = { value: 0, first: at };
      session.last = at;
      session.value += entry.value;
      shift = Math.max(shift, session.value);
    },
    longtask(entry) {
      if (isOfLoad(entry) && tasks.length < TASKS_KEPT) tasks.push([entry.startTime, entry.duration]);
    },
    event(entry) {
      const id = entry.interactionId;
      if (!id) return;
      const visit = visits.findLast((candidate) => candidate.at <= entry.startTime) ?? visits[0];
      const known = visit.longest.find((interaction) => interaction.id === id);
      if (known) known.duration = Math.max(known.duration, entry.duration);
      else {
        visit.interactions += 1;
        visit.longest.push({ id, duration: entry.duration });
      }
      visit.longest.sort((one, other) => other.duration - one.duration);
      visit.longest.length = Math.min(visit.longest.length, LONGEST_KEPT);
    },
    resource(entry) {
      bytes += entry.transferSize;
      if (!isOfLoad(entry)) return;
      requests += 1;
      bytesOfVisit += entry.transferSize;
    },
  };
  act["first-input"] = act.event; // it comes even when it was quick

  let pause = FIRST_PAUSE_MS;
  let isWaiting = false;
  const handOverSoon = () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      handOver();
    }, pause);
    pause = Math.min(pause * 2, LAST_PAUSE_MS);
  };

  const observers = [];
  for (const [type, take] of Object.entries(act)) {
    if (!PerformanceObserver.supportedEntryTypes.includes(type)) continue;
    const observer = new PerformanceObserver((list) => {
      list.getEntries().forEach(take);
      if (type !== "resource") handOverSoon();
    });
    observer.observe({ type, buffered: true, ...(type === "event" && { durationThreshold: 16 }) });
    observers.push([observer, take]);
  }

  const positive = (value) => (value > 0 ? value : null);
  const inp = ({ longest, interactions }) =>
    longest.length
      ? longest[Math.min(longest.length - 1, Math.floor(interactions / 50))].duration
      : null;

  const snapshot = () => {
    for (const [observer, take] of observers) observer.takeRecords().forEach(take);
    const load = entriesOf("navigation")[0] ?? {};
    const age = now();
    const isMeasured = (type) => PerformanceObserver.supportedEntryTypes.includes(type);
    return JSON.stringify({
      id,
      began,
      age,
      mobile: navigator.userAgent.includes("Mobi"),
      ttfb_ms: positive(load.responseStart),
      fcp_ms: paint,
      lcp_ms: largest,
      cls: isMeasured("layout-shift") ? shift : null,
      tasks: isMeasured("longtask") ? tasks : null,
      dom_content_loaded_ms: positive(load.domContentLoadedEventEnd),
      load_ms: positive(load.loadEventEnd),
      requests,
      transfer_bytes: bytesOfVisit + (load.transferSize ?? 0),
      network_bytes: bytes + (load.transferSize ?? 0),
      visits: visits.map((visit) => ({ path: visit.path, at: visit.at, inp_ms: inp(visit) })),
    });
  };

  const handOver = () => {
    window.__workflowMonitorTake?.(snapshot()).catch(() => {}); // nobody listens any more
  };

  navigation?.addEventListener("currententrychange", () => {
    const path = location.pathname;
    const last = visits[visits.length - 1];
    if (path === last.path || visits.length >= VISITS_KEPT) return;
    if (paint === null && !entriesOf("paint").length) last.path = path; // nobody saw the other one
    else visits.push({ path, at: now(), interactions: 0, longest: [] });
  });
  // at pagehide, on a navigation, nobody can be told any more
  addEventListener("beforeunload", handOver);
  addEventListener("pagehide", handOver);
  addEventListener("load", handOverSoon);
  Object.defineProperty(window, "__workflowMonitorGive", { value: snapshot, configurable: true });
})();
