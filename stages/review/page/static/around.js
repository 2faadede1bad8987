// What stands around the sheet: its name, how far the review is, and the lists; and the words at the end.

import { showClasses, showFocus, showSheets } from "./panel.js";

const at = (id) => document.getElementById(id);
const STARTS = {
  claims: "has labels: confirm them",
  model: "the model's proposals",
  none: "nobody has labelled it yet",
};
const isDone = (sheet) => sheet.status === "reviewed";

export function showAround(sheet, packet, { newClass, typed, takeClass, openSheet }) {
  const { listed, detail } = sheet;
  const [boxes, chosen] = [sheet.boxes(), sheet.chosen()];
  showHead(listed, packet.sheets);
  at("chosen").textContent = chosen ? describe(chosen, sheet.about(chosen)) : "";
  at("boxes").textContent = countWords(boxes.length, sheet.proposals());
  const counts = new Map();
  for (const box of boxes) counts.set(box.class_name, (counts.get(box.class_name) ?? 0) + 1);
  showFocus(at("focus"), detail.focus, sheet.lookedAt(), (one) => sheet.look(one));
  showClasses(at("classes"), packet.classes, typed, counts, chosen?.class_name ?? newClass, takeClass);
  showSheets(at("sheets"), packet.sheets, listed.order, openSheet);
}

function showHead(listed, sheets) {
  const done = sheets.filter(isDone).length;
  const from = STARTS[listed.labels_from];
  at("name").textContent = listed.image_id;
  at("name").title = listed.image_id;
  const part = listed.window ? ` · a window of ${listed.window.sheet}, at ${listed.window.x1}, ${listed.window.y1}` : "";
  at("about").textContent = `${listed.order} of ${sheets.length} · ${listed.width} × ${listed.height} · ${from}${part}`;
  at("count").textContent = `${done} of ${sheets.length} done`;
  at("meter").style.width = `${(100 * done) / sheets.length}%`;
  at("done").textContent = isDone(listed) ? "Done: next open sheet" : "Sheet is done";
}

const describe = (box, about) =>
  `${box.class_name}, ${Math.round(box.x2 - box.x1)} × ${Math.round(box.y2 - box.y1)} px, ${about}`;

const countWords = (count, proposals) =>
  `${count} ${count === 1 ? "box" : "boxes"}${proposals > 0 ? `, ${proposals} not looked at` : ""}`;

export function endWords(sheets, split) {
  const done = sheets.filter(isDone).length;
  const rest = sheets.length - done;
  const minutes = Math.round(sheets.reduce((sum, one) => sum + one.seconds, 0) / 60);
  const time = minutes > 0 ? `, in ${minutes} ${minutes === 1 ? "minute" : "minutes"}` : "";
  if (split !== "pool" && rest > 0) return unfinishedWords(split, done, sheets.length, time);
  const left = rest === 1 ? " One is not: may it stay in the pool?" : ` ${rest} are not: may they stay in the pool?`;
  const text = `${done} of ${sheets.length} sheets are done${time}.${rest > 0 ? left : ""}`;
  return {
    text: done > 0 ? text : "No sheet is done yet.",
    finish: rest > 0 ? `Finish, leave ${rest} in the pool` : "Finish",
    canFinish: done > 0,
  };
}

// What is measured on is labelled as a whole: who leaves out the hard sheets measures on easy ones.
const unfinishedWords = (split, done, count, time) => ({
  text: `${done} of ${count} sheets are done${time}. All of ${split} is to be labelled before it is taken.`,
  finish: "Finish",
  canFinish: false,
});

export const farewellWords = (done) =>
  `The review is finished: ${done === 1 ? "one sheet is" : `${done} sheets are`} done. ` +
  "You can close this tab; yoloop goes on in the terminal.";
