// Saves every change: at once into this browser, and a moment later on the server, one request after another. What the
// server has not confirmed stays in the browser, also over a crash of either, and is sent again.

import { writeSheet, readSheet } from "./api.js";
import { sameBoxes } from "./boxes.js";

const MOMENT = 150; // ms in which changes are sent together
const PATIENCE = [500, 1000, 2000, 4000]; // ms between tries while the server does not answer
const MOST_IN_DOUBT = 20; // versions of a sheet whose answers were lost
const KEEPALIVE = 60_000; // characters that a browser sends for a page that is being closed

// `on.state(word, why, answers)`: saved, saving, waiting (with a server that `answers`, or none), refused, gone.
// `on.conflict(order)`: somebody else saved this sheet; what was changed here since is dropped.
export function createSaver(packet, on) {
  const prefix = `yoloop:${packet}:`;
  const revisions = new Map(); // order -> the server's, as this page last read it
  const waiting = new Map(); // order -> {status, seconds, boxes}, not yet confirmed
  const sent = new Map(); // order -> all that may be on the server already, since an answer was lost
  const refused = new Set(); // orders of sheets that the server will not take as they are
  let [timer, running, tries, stopped] = [null, false, 0, false];
  const settled = [];

  const keep = (order) => {
    const entry = { revision: revisions.get(order), sheet: waiting.get(order), sent: sent.get(order) ?? [] };
    try {
      localStorage.setItem(prefix + order, JSON.stringify(entry));
    } catch {
      // A full or forbidden store: then only the server keeps it.
    }
  };
  const next = () => [...waiting.keys()].find((order) => !refused.has(order));
  const forget = (order) => localStorage.removeItem(prefix + order);
  const same = (one, other) => one.status === other.status && sameBoxes(one.boxes, other.boxes);

  async function send(order, options) {
    const sheet = waiting.get(order);
    sent.set(order, [...(sent.get(order) ?? []).filter((one) => one !== sheet), sheet].slice(-MOST_IN_DOUBT));
    keep(order);
    const { revision } = await writeSheet(order, { packet, revision: revisions.get(order), ...sheet }, options);
    sent.delete(order);
    revisions.set(order, revision);
    if (waiting.get(order) === sheet) {
      waiting.delete(order);
      forget(order);
    }
  }

  // The server has another revision: ours whose answer was lost, or somebody else's work, which is never overwritten.
  async function reconcile(order) {
    const now = await readSheet(order);
    revisions.set(order, now.revision);
    if ((sent.get(order) ?? []).some((lost) => same(lost, now))) return;
    drop(order);
    on.conflict(order);
  }

  function drop(order) {
    waiting.delete(order);
    sent.delete(order);
    forget(order);
  }

  // What is done about whatever the server said; returns whether to go on with the next sheet.
  async function failed(order, error) {
    if (error.body?.conflict) {
      await reconcile(order);
      return true;
    }
    if (error.body?.gone || error.status === 403) {
      stopped = true;
      on.state("gone", error.message);
      return false;
    }
    if (error.status >= 400 && error.status < 500) {
      refused.add(order);
      on.state("refused", error.message);
      return true;
    }
    on.state("waiting", error.message, error.status !== 0);
    timer = setTimeout(() => run(), PATIENCE[Math.min(tries++, PATIENCE.length - 1)]);
    return false;
  }

  async function run(options = {}) {
    if (running || stopped) return;
    clearTimeout(timer);
    [running, timer] = [true, null];
    let [goesOn, order] = [true, next()];
    while (goesOn && order !== undefined) {
      if (tries === 0) on.state("saving");
      try {
        await send(order, options);
        tries = 0;
      } catch (error) {
        goesOn = await failed(order, error).catch((again) => failed(order, again));
      }
      order = next();
    }
    running = false;
    if (waiting.size > 0) return;
    on.state("saved");
    for (const resolve of settled.splice(0)) resolve();
  }

  return {
    opened: (order, revision) => {
      if (!waiting.has(order)) revisions.set(order, revision);
    },
    unsaved: (order) => waiting.get(order),
    change(order, sheet) {
      waiting.delete(order); // the newest change is sent last
      waiting.set(order, sheet);
      refused.delete(order);
      keep(order);
      if (timer === null && !running) timer = setTimeout(() => run(), MOMENT);
      if (!stopped && tries === 0) on.state("saving");
    },
    // Resolves when everything is on the server.
    settle: () => (waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => settled.push(resolve))),
    get isSettled() {
      return waiting.size === 0;
    },
    // The page is being hidden or closed: do not wait for the moment.
    hurry() {
      const size = [...waiting.values()].reduce((sum, sheet) => sum + JSON.stringify(sheet).length, 0);
      if (waiting.size > 0) run({ keepalive: size < KEEPALIVE });
    },
    // What an earlier page of this packet could not save is sent first.
    restore() {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
      for (const key of keys) {
        const order = Number(key.slice(prefix.length));
        const entry = JSON.parse(localStorage.getItem(key));
        revisions.set(order, entry.revision);
        waiting.set(order, entry.sheet);
        sent.set(order, entry.sent);
      }
      return waiting.size > 0 ? run() : Promise.resolve();
    },
  };
}
