// The page: opens sheets one after another, saves every change, and ends the review.

import { finish, readPacket, readSheet, writePlace } from "./api.js";
import { endWords, farewellWords, showAround } from "./around.js";
import { bindingsOf } from "./bindings.js";
import { plain } from "./boxes.js";
import { createClock } from "./clock.js";
import { createFinder } from "./finder.js";
import { createKeys, listKeys } from "./keys.js";
import { paint } from "./palette.js";
import { panWith } from "./panning.js";
import { createSaver } from "./saver.js";
import { createSheet, historyOf } from "./sheet.js";
import { createView } from "./view.js";

const SAVE_SECONDS = 20; // time on a sheet is saved that often, when nothing else is
const ZOOM = 1.3;
const OTHER_SIZE = "This browser shows the sheet in another size than the packet says: boxes would lie elsewhere.";
const at = (id) => document.getElementById(id);
const area = at("area");

let packet = null;
let sheet = null; // the one on the screen
let opening = 0; // number of the latest wish to open one
let newClass = ""; // of the next box that is drawn
let unsavedSeconds = 0;
const histories = new Map(); // order -> of this visit
const confirmed = new Set(); // order:prelabel of proposals that were found right
const view = createView(area, at("paper"), (scale) => {
  at("fit").textContent = `${Math.round(scale * 100)} %`;
  sheet?.rescale(scale);
});

const STATES = {
  saved: () => "Saved",
  saving: () => "Saving …",
  waiting: (why, answers) =>
    answers
      ? `Not saved, trying again: ${why}`
      : "Not saved: no answer. Start `yoloop review open` again; your changes are kept here until then.",
  refused: (why, order) => `Sheet ${order} is not saved: ${why}`,
  gone: (why) => `Not saved: ${why}`,
};
let saver = null;
let finder = null;

function showState(word, why, more) {
  at("saved").textContent = STATES[word](why, more);
  at("saved").className = word;
  at("mend").hidden = word !== "refused";
}

function say(text) {
  at("note").textContent = text;
  at("note").hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (at("note").hidden = true), 6000);
}

// ---- one sheet

function loaded(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.alt = "";
    image.draggable = false;
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("The picture of this sheet cannot be shown."));
    image.src = source;
  });
}

async function openSheet(order) {
  const wish = ++opening;
  try {
    const detail = await readSheet(order);
    const image = await loaded(`/${detail.image}`);
    if (wish !== opening) return;
    const { width, height } = packet.sheets.find((one) => one.order === order);
    if (image.naturalWidth !== width || image.naturalHeight !== height) throw new Error(OTHER_SIZE);
    put(order, detail, image);
  } catch (error) {
    say(error.message);
    return;
  }
  writePlace(order).catch(() => {});
  const next = packet.sheets.find((one) => one.order === order + 1);
  if (next)
    readSheet(next.order)
      .then((detail) => loaded(`/${detail.image}`))
      .catch(() => {});
}

function put(order, detail, image) {
  leave();
  const listed = packet.sheets.find((one) => one.order === order);
  saver.opened(order, detail.revision);
  const now = saver.unsaved(order) ?? detail;
  Object.assign(listed, {
    seconds: now.seconds,
    status: detail.revision || saver.unsaved(order) ? now.status : "untouched",
  });
  const history = historyOf(now.boxes, order, histories.get(order));
  histories.set(order, history);
  at("paper").replaceChildren(image);
  view.open(listed);
  const page = { view, image, classes: packet.classes, confirmed, newClass: () => newClass };
  sheet = createSheet({ listed, detail, history, page, on: { changed: save, shown: showPage } });
  sheet.rescale(view.scale);
  sheet.show();
  area.focus({ preventScroll: true });
}

// Nothing of what the browser has of this sheet is saved over what the server has.
async function reread(order, why) {
  say(why);
  histories.delete(order);
  const isShown = sheet?.listed.order === order;
  if (isShown) {
    sheet.close();
    [sheet, unsavedSeconds] = [null, 0];
  }
  const now = (await readPacket()).sheets.find((one) => one.order === order);
  Object.assign(
    packet.sheets.find((one) => one.order === order),
    now,
  );
  if (isShown) openSheet(order);
  else showPage();
}

function leave() {
  if (!sheet) return;
  if (unsavedSeconds >= 1) save();
  sheet.close();
  sheet = null;
}

function save() {
  const { listed } = sheet;
  if (listed.status === "untouched") listed.status = "unreviewed";
  unsavedSeconds = 0;
  const boxes = sheet.boxes().map((box) => plain(box, listed));
  saver.change(listed.order, { status: listed.status, seconds: Math.round(listed.seconds), boxes });
  localStorage.setItem(`yoloop-confirmed:${packet.packet}`, JSON.stringify([...confirmed]));
}

// ---- what stands around the sheet

function showPage() {
  if (sheet) showAround(sheet, packet, { newClass, typed: finder.typed(), takeClass, openSheet });
}

function setClass(name) {
  newClass = name;
  sheet.setClass(name);
  showPage();
}

function takeClass(name) {
  setClass(name);
  area.focus(); // the list was made anew, and the button that had the focus is gone
}

// ---- the whole packet

function done() {
  const { listed } = sheet;
  listed.status = "reviewed";
  save();
  sheet.show();
  const later = packet.sheets.filter((one) => one.order > listed.order);
  const next = [...later, ...packet.sheets].find((one) => one.status !== "reviewed");
  if (next) openSheet(next.order);
  else askForEnd();
}

function reopen() {
  if (sheet.listed.status !== "reviewed") return;
  sheet.listed.status = "unreviewed";
  save();
  sheet.show();
}

function go(by) {
  const next = sheet.listed.order + by;
  if (next >= 1 && next <= packet.sheets.length) openSheet(next);
}

function askForEnd() {
  const words = endWords(packet.sheets, packet.split);
  at("ending-text").textContent = words.text;
  at("ending-finish").textContent = words.finish;
  at("ending-finish").hidden = !words.canFinish;
  at("ending").returnValue = "stay";
  at("ending").showModal();
}

async function end() {
  if (at("ending").returnValue !== "finish") return;
  if (unsavedSeconds >= 1) save();
  if (!(await saver.settle())) return say(`The review is not finished. ${at("saved").textContent}`);
  try {
    const isPartial = packet.sheets.some((one) => one.status !== "reviewed");
    farewell(farewellWords((await finish(packet.packet, isPartial)).done));
  } catch (error) {
    say(error.message);
  }
}

function farewell(text) {
  unsavedSeconds = 0; // there is nobody any more to save them
  leave();
  const last = Object.assign(document.createElement("p"), { className: "farewell", textContent: text });
  document.body.replaceChildren(last);
}

// ---- keys, mouse, start

const page = {
  done,
  reopen,
  go,
  fit: () => view.fit(),
  zoom: (by) => view.zoom(ZOOM ** by),
  digit: (event) => {
    const name = packet.classes[Number(event.code.at(-1)) - 1];
    if (name !== undefined) setClass(name);
  },
  find: () => finder.open(),
  hide: () => area.classList.toggle("bare"),
  help: () => at("keys").showModal(),
  otherPane: () => (document.activeElement === area ? at("side").querySelector("button") : area).focus(),
};

// A key belongs to the sheet, unless a dialog is open or a control has the focus that this key works.
function isOff(event) {
  if (sheet === null || document.querySelector("dialog[open]")) return true;
  const control = event.target.closest?.("button, a, input");
  return control?.matches("input") || (Boolean(control) && ["Enter", " ", "Tab"].includes(event.key));
}

function listen() {
  const bindings = bindingsOf(page, () => sheet);
  createKeys(
    bindings.filter((one) => one.run),
    isOff,
  );
  listKeys(
    bindings.filter((one) => one.does),
    at("bindings"),
  );
  panWith(area, view);
  const mends = { again: () => saver.again(), drop: () => saver.giveUp() };
  const clicks = { previous: () => go(-1), next: () => go(1), help: page.help, finish: askForEnd, done, ...mends };
  const zooms = { out: () => page.zoom(-1), fit: page.fit, in: () => page.zoom(1) };
  for (const [id, run] of Object.entries({ ...clicks, ...zooms }))
    at(id).addEventListener("click", () => sheet && run());
  // After a click with the mouse the keys are for the sheet again.
  document.addEventListener(
    "click",
    (event) => event.detail > 0 && event.target.closest("main button, header button") && area.focus(),
  );
  at("ending").addEventListener("close", end);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && saver.hurry());
  window.addEventListener("beforeunload", (event) => saver.isSettled || event.preventDefault());
  createClock((seconds) => {
    if (sheet === null) return;
    sheet.listed.seconds += seconds;
    unsavedSeconds += seconds;
    if (unsavedSeconds >= SAVE_SECONDS) save();
  });
}

async function start() {
  history.replaceState(null, "", "/"); // the key stays out of the address
  packet = await readPacket();
  document.title = packet.split === "pool" ? `Review of iteration ${packet.iteration}` : `Labels of ${packet.split}`;
  newClass = packet.classes[0];
  paint(packet.classes.length);
  finder = createFinder(at("find"), packet.classes, { changed: showPage, taken: takeClass, left: () => area.focus() });
  for (const one of JSON.parse(localStorage.getItem(`yoloop-confirmed:${packet.packet}`) ?? "[]")) confirmed.add(one);
  saver = createSaver(packet.packet, {
    state: showState,
    dropped: (order, why) => reread(order, why).catch((error) => say(error.message)),
  });
  showState("saved");
  listen();
  await saver.restore();
  await openSheet(firstOf(packet).order);
}

// Where it was left, if that is not done; else the first that is not.
function firstOf({ sheets, at: left }) {
  const open = sheets.filter((one) => one.status !== "reviewed");
  return open.find((one) => one.order === left) ?? open[0] ?? sheets[0];
}

start().catch((error) => farewell(error.message));
