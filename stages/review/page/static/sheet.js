// The sheet on the screen: its boxes with their history, drawn and changed with mouse and keys.

import { boxAt, clipped, inReadingOrder, isAsProposed, moved, resized, sameBoxes } from "./boxes.js";
import { createCanvas } from "./canvas.js";
import { createHistory } from "./history.js";
import { createMarks } from "./marks.js";

const ROW = 60; // px of a sheet that count as one line of reading

const percent = (confidence) => `${Math.round(confidence * 100)} %`;

// The history of an earlier look at this sheet goes on, unless the sheet was changed elsewhere since.
export function historyOf(boxes, order, known) {
  if (known && sameBoxes(known.boxes, boxes)) return known;
  return createHistory(boxes.map((box, place) => ({ id: `${order}:${place}`, ...box })));
}

// `page`: {area, view, image, classes, confirmed (a set of pre-labels), newClass()}; `on.changed()` after a change of a
// box, `on.shown()` after everything that changes what is seen.
export function createSheet({ listed, detail, history, page, on }) {
  const prelabels = new Map(detail.prelabels.map((one) => [one.id, one]));
  const canvas = createCanvas(page.image, { drawn, moving, moved: dropped, selected: choose });
  const marks = createMarks(page.image, listed);
  let selected = null; // id of a box
  let lookedAt = null; // id of a focus box
  let labelled = true;

  const boxes = () => history.boxes;
  const chosen = () => boxes().find((box) => box.id === selected) ?? null;
  const key = (box) => `${listed.order}:${box.prelabel}`;
  const isOpenProposal = (box) =>
    listed.status !== "reviewed" && isAsProposed(box, prelabels) && !page.confirmed.has(key(box));

  function label(box) {
    const from = prelabels.get(box.prelabel);
    const sure = isOpenProposal(box) && from.confidence !== null ? ` ${percent(from.confidence)}` : "";
    return labelled || box.id === selected ? `${box.class_name}${sure}` : "";
  }

  function show() {
    const described = boxes().map((box) => ({
      box,
      classPlace: page.classes.indexOf(box.class_name),
      proposed: isOpenProposal(box),
      selected: box.id === selected,
      label: label(box),
    }));
    marks.show(described);
    canvas.show(boxes());
    on.shown();
  }

  function commit(next, step) {
    history.commit(next, step);
    on.changed();
    show();
  }

  const replace = (box, step) =>
    commit(
      boxes().map((one) => (one.id === box.id ? box : one)),
      step,
    );

  function choose(id) {
    if (id === selected) return;
    selected = boxes().some((box) => box.id === id) ? id : null;
    show();
  }

  const select = (id) => canvas.select(id);

  function drawn(id, sides) {
    const box = clipped({ id, class_name: page.newClass(), ...sides, prelabel: null }, listed);
    if (box) commit([...boxes(), box]);
    else show(); // takes it off the layer, too
    queueMicrotask(() => select(box ? id : null));
  }

  function moving(id, sides) {
    marks.move(id, sides);
  }

  function dropped(id, sides) {
    const before = boxes().find((box) => box.id === id);
    const box = before && clipped({ ...before, ...sides }, listed);
    if (box) replace(box);
    else show();
  }

  function change(how, step) {
    const box = chosen();
    const next = box && how(box);
    if (next) replace(next, step);
  }

  function travel(to) {
    history[to]();
    if (!chosen()) selected = null;
    canvas.show(boxes());
    canvas.select(selected);
    on.changed();
    show();
  }

  // Goes to the next box, or the one before, of those that `counts` is true for.
  function step(by, counts = () => true) {
    const ordered = inReadingOrder(boxes(), ROW);
    const here = ordered.findIndex((box) => box.id === selected);
    for (let tried = 1; tried <= ordered.length; tried += 1) {
      const start = here < 0 && by < 0 ? 0 : here;
      const box = ordered[(start + by * tried + 2 * ordered.length) % ordered.length];
      if (!counts(box)) continue;
      select(box.id);
      page.view.reveal(box);
      return true;
    }
    return false;
  }

  function look(focus) {
    lookedAt = focus?.id ?? null;
    marks.frame(detail.focus, lookedAt);
    if (!focus || focus.kind === "nothing_seen") page.view.fit();
    else page.view.zoomTo(focus);
    const box = focus && focus.kind !== "nothing_seen" ? boxAt(boxes(), focus) : undefined;
    select(box?.id ?? null); // so that a key says at once what it is
    show();
  }

  marks.frame(detail.focus, null);
  canvas.show(boxes());

  return {
    detail,
    listed,
    boxes,
    chosen,
    look,
    select,
    step,
    show,
    lookedAt: () => lookedAt,
    proposals: () => boxes().filter(isOpenProposal).length,
    about(box) {
      const from = prelabels.get(box.prelabel);
      if (!from) return "drawn by you";
      const by =
        from.confidence === null ? "from the sheet's own labels" : `the model is ${percent(from.confidence)} sure`;
      return isAsProposed(box, prelabels) ? `proposed: ${by}` : `changed; proposed: ${by}`;
    },
    setClass(name) {
      change((box) => (box.class_name === name ? null : { ...box, class_name: name }));
    },
    nudge: (dx, dy) => change((box) => moved(box, dx, dy, listed), `nudge ${selected}`),
    grow: (dx, dy) => change((box) => resized(box, dx, dy, listed), `grow ${selected}`),
    remove() {
      const box = chosen();
      if (!box) return;
      select(null);
      commit(boxes().filter((one) => one.id !== box.id));
    },
    // The box is right as it was proposed; on to the next one that nobody looked at.
    accept() {
      const box = chosen();
      if (box && box.prelabel !== null) page.confirmed.add(key(box));
      if (!step(1, isOpenProposal)) select(null);
    },
    undo: () => travel("undo"),
    redo: () => travel("redo"),
    // The next focus box, or the one before; after the last one the whole sheet.
    lookNext(by) {
      const place = detail.focus.findIndex((one) => one.id === lookedAt);
      const next = place < 0 && by < 0 ? detail.focus.length - 1 : place + by;
      look(detail.focus[next] ?? null);
    },
    beginBox() {
      canvas.cancel();
      select(null);
    },
    toggleLabels() {
      labelled = !labelled;
      show();
    },
    rescale: (scale) => marks.rescale(scale),
    close: () => canvas.close(),
  };
}
