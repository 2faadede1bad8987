// Saves every change: at once into this browser, and a moment later on the server, one request after another. What the
// server has not confirmed stays in the browser, also over a crash of either, and is sent again.

import { writeSheet, readSheet } from "./api.js";
import { sameBoxes } from "./boxes.js";

const MOMENT = 150; // ms in which changes are sent together
const PATIENCE = [500, 1000, 2000, 4000]; // ms between tries while the server does not answer
const MOST_IN_DOUBT = 20; // versions of a sheet whose answers were lost
const KEEPALIVE = 60_000; // characters that a browser sends for a page that is being closed

// `on.state(word, why, more)`: saved, saving, waiting (`more`: whether a server answers), refused (`more`: which sheet),
// gone. `on.dropped(order, why)`: what was changed here on this sheet is dropped, and the server's is to be shown.
export function createSaver(packet, on) {
  const prefix = `yoloop:${packet}:`;
  const revisions = new Map(); // order -> the server's, as this page last read it
  const waiting = new Map(); // order -> {status, seconds, boxes}, not yet confirmed
  const sent = new Map(); // order -> all that may be on the server already, since an answer was lost
  const refused = new Map(); // order -> why the server will not take the sheet as it is
  const late = new Map(); // order -> what went wrong, until it is tried again
  let [timer, running, tries, gone] = [null, false, 0, null];
  const settled = [];

  const keep = (order) => {
    const entry = { revision: revisions.get(order), sheet: waiting.get(order), sent: sent.get(order) ?? [] };
    try {
      localStorage.setItem(prefix + order, JSON.stringify(entry));
    } catch {
      // A full or forbidden store: then only the server keeps it.
    }
  };
  const next = (tried = new Set()) => [...waiting.keys()].find((order) => !refused.has(order) && !tried.has(order));
  const forget = (order) => localStorage.removeItem(prefix + order);
  const same = (one, other) => one.status === other.status && sameBoxes(one.boxes, other.boxes);

  // The worst of all sheets is what a person reads: a sheet that was saved never hides one that was not.
  function tell() {
    const [[order, why] = []] = refused;
    const [failure] = late.values();
    if (gone !== null) on.state("gone", gone);
    else if (failure) on.state("waiting", failure.message, failure.status !== 0);
    else if (next() !== undefined) on.state("saving");
    else if (order !== undefined) on.state("refused", why, order);
    else on.state("saved");
  }

  async function send(order, options) {
    const sheet = waiting.get(order);
    sent.set(order, [...(sent.get(order) ?? []).filter((one) => one !== sheet), sheet].slice(-MOST_IN_DOUBT));
    keep(order);
    const { revision } = await writeSheet(order, { packet, revision: revisions.get(order), ...sheet }, options);
    sent.delete(order);
    late.delete(order);
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
    drop(order, `Sheet ${order} was changed in another window: what is saved there is shown now.`);
  }

  function drop(order, why) {
    for (const known of [waiting, sent, refused, late]) known.delete(order);
    forget(order);
    on.dropped(order, why);
  }

  // What is done about whatever the server said.
  async function failed(order, error) {
    late.delete(order);
    if (error.body?.conflict) await reconcile(order);
    else if (error.body?.gone || error.status === 403) gone = error.message;
    else if (error.status >= 400 && error.status < 500) refused.set(order, error.message);
    else late.set(order, error);
  }

  async function run(options = {}) {
    if (running) return;
    clearTimeout(timer);
    [running, timer] = [true, null];
    const tried = new Set(); // one that fails holds up no other
    for (let order = next(); order !== undefined && gone === null; order = next(tried)) {
      tell();
      try {
        await send(order, options);
      } catch (error) {
        await failed(order, error).catch((again) => failed(order, again));
      }
      if (late.has(order)) tried.add(order);
      if (late.get(order)?.status === 0) break; // nobody is there
    }
    running = false;
    tries = late.size > 0 ? tries + 1 : 0;
    if (tries > 0 && gone === null) timer = setTimeout(() => run(), PATIENCE[Math.min(tries, PATIENCE.length) - 1]);
    tell();
    for (const resolve of settled.splice(0)) resolve(waiting.size === 0);
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
      tell();
    },
    // Sends what is left, and resolves to whether everything is on the server.
    settle() {
      const ended = new Promise((resolve) => settled.push(resolve));
      run();
      return ended;
    },
    // What was refused is sent once more, or given up.
    again() {
      refused.clear();
      run();
    },
    giveUp() {
      for (const order of [...refused.keys()]) drop(order, `Sheet ${order} is as it was saved before.`);
      tell();
    },
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
