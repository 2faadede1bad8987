// Which key does what. `page` is what app.js can do, `sheet()` the sheet on the screen.

const NUDGES = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };
const FAR = 10; // px

function arrows(sheet) {
  return Object.entries(NUDGES).flatMap(([arrow, [dx, dy]]) => [
    { keys: [arrow], run: () => sheet().nudge(dx, dy) },
    { keys: [`shift+${arrow}`], run: () => sheet().nudge(dx * FAR, dy * FAR) },
    { keys: [`alt+${arrow}`], run: () => sheet().grow(dx, dy) },
    { keys: [`alt+shift+${arrow}`], run: () => sheet().grow(dx * FAR, dy * FAR) },
  ]);
}

const digits = Array.from({ length: 9 }, (_, place) => `digit${place + 1}`);

// What has no `does` is told by another line.
export const bindingsOf = (page, sheet) => [
  {
    group: "Sheet",
    keys: ["d", "enter"],
    shown: ["D", "Enter"],
    does: "sheet is done, on to the next open one",
    run: page.done,
  },
  { group: "Sheet", keys: ["r"], shown: ["R"], does: "not done after all", run: page.reopen },
  { group: "Sheet", keys: ["j", "pagedown"], shown: ["J", "Page ↓"], does: "next sheet", run: () => page.go(1) },
  { group: "Sheet", keys: ["k", "pageup"], shown: ["K", "Page ↑"], does: "sheet before", run: () => page.go(-1) },
  { group: "Sheet", keys: ["ctrl+z"], shown: ["Ctrl Z"], does: "undo", run: () => sheet().undo() },
  {
    group: "Sheet",
    keys: ["ctrl+shift+z", "ctrl+y"],
    shown: ["Ctrl Shift Z"],
    does: "redo",
    run: () => sheet().redo(),
  },
  {
    group: "Boxes",
    keys: ["tab"],
    shown: ["Tab"],
    does: "next box (Shift: the one before)",
    run: () => sheet().step(1),
  },
  { keys: ["shift+tab"], run: () => sheet().step(-1) },
  { group: "Boxes", keys: ["a"], shown: ["A"], does: "proposal is right, on to the next", run: () => sheet().accept() },
  { group: "Boxes", keys: digits, shown: ["1 … 9"], does: "class of the box, or of the next one", run: page.digit },
  {
    group: "Boxes",
    keys: ["c"],
    shown: ["C"],
    does: "class by its name: a few letters, then Enter",
    run: page.find,
  },
  {
    group: "Boxes",
    keys: ["n"],
    shown: ["N"],
    does: "draw a box, also inside the selected one",
    run: () => sheet().beginBox(),
  },
  {
    group: "Boxes",
    keys: ["delete", "backspace"],
    shown: ["Del", "⌫"],
    does: "delete the box",
    run: () => sheet().remove(),
  },
  { group: "Boxes", keys: [], shown: ["← ↑ ↓ →"], does: "move by 1 px (Shift: 10)", run: null },
  { group: "Boxes", keys: [], shown: ["Alt ← ↑ ↓ →"], does: "move its right or lower side", run: null },
  { group: "Boxes", keys: ["escape"], shown: ["Esc"], does: "select nothing", run: () => sheet().beginBox() },
  ...arrows(sheet),
  {
    group: "View",
    keys: ["f"],
    shown: ["F"],
    does: "next thing to look at (Shift: the one before)",
    run: () => sheet().lookNext(1),
  },
  { keys: ["shift+f"], run: () => sheet().lookNext(-1) },
  { group: "View", keys: ["digit0"], shown: ["0"], does: "whole sheet", run: page.fit },
  { group: "View", keys: ["+", "="], shown: ["+"], does: "larger", run: () => page.zoom(1) },
  { group: "View", keys: ["-"], shown: ["−"], does: "smaller", run: () => page.zoom(-1) },
  { group: "View", keys: ["h"], shown: ["H"], does: "hide the boxes, show them again", run: page.hide },
  { group: "View", keys: ["l"], shown: ["L"], does: "names of the boxes on or off", run: () => sheet().toggleLabels() },
  { group: "View", keys: ["f6"], shown: ["F6"], does: "from the sheet to the lists and back", run: page.otherPane },
  { group: "View", keys: ["?"], shown: ["?"], does: "this list", run: page.help },
];
