// Drawing, selecting, moving and resizing boxes with the mouse: Annotorious does that, on a layer over the picture.
// It shows the handles of the selected box alone; marks.js draws the boxes.

import "./vendor/annotorious.js"; // a script that sets a global, not a module

const STILL = 4; // px of the screen that the mouse may move in a click
const OURS = "REMOTE"; // Annotorious' word for changes that are not made with the mouse on its layer

const geometryOf = ({ x1, y1, x2, y2 }) => ({
  ...{ x: x1, y: y1, w: x2 - x1, h: y2 - y1 },
  bounds: { minX: x1, minY: y1, maxX: x2, maxY: y2 },
});

const toAnnotation = (box) => ({
  id: box.id,
  bodies: [],
  target: { annotation: box.id, selector: { type: "RECTANGLE", geometry: geometryOf(box) } },
});

// While a box is dragged, its `bounds` are one movement behind its x, y, w and h (3.8.10).
function sidesOf(annotation) {
  const { x, y, w, h } = annotation.target.selector.geometry;
  return { x1: x, y1: y, x2: x + w, y2: y + h };
}

// With the bounds, too: clicks are looked up in them.
function holds(annotation, box) {
  const [has, wanted] = [annotation.target.selector.geometry, geometryOf(box)];
  const sides = ["x", "y", "w", "h"].every((key) => has[key] === wanted[key]);
  return sides && Object.entries(wanted.bounds).every(([key, value]) => has.bounds[key] === value);
}

// `on.drawn(id, sides)`, `on.moving(id, sides)` while the mouse is down, `on.moved(id, sides)`, `on.selected(id|null)`.
export function createCanvas(image, on) {
  const annotator = globalThis.Annotorious.createImageAnnotator(image, { drawingMode: "drag" });
  const { store } = annotator.state;
  const layer = annotator.element.querySelector("svg.a9s-annotationlayer");
  layer.removeAttribute("tabindex"); // the area around it has the focus
  layer.setAttribute("aria-hidden", "true");
  const ending = new AbortController(); // of what listens outside the layer
  let pressed = null; // where the mouse went down
  let isClick = false; // it came up at the same place
  let changing = null; // what the mouse is moving now: {id, sides}

  store.observe(({ changes, origin }) => {
    if (origin === OURS) return;
    for (const annotation of changes.created ?? []) {
      if (isClick)
        store.deleteAnnotation(annotation.id, OURS); // a slow click with a hand that shook
      else on.drawn(annotation.id, sidesOf(annotation));
    }
    for (const { newValue } of changes.updated ?? []) {
      changing = { id: newValue.id, sides: sidesOf(newValue) };
      on.moving(changing.id, changing.sides);
    }
  });

  // Annotorious says later what is selected, and a key may come before that.
  function select(id) {
    annotator.setSelected(id ?? undefined, true);
    on.selected(id);
  }

  function press(event) {
    pressed = { x: event.clientX, y: event.clientY };
    if (event.target.closest(".a9s-annotation.selected")) return;
    select(null); // with a box selected, Annotorious draws no other one
    layer.setPointerCapture(event.pointerId); // a box may be drawn over the edge of the sheet
  }

  // Annotorious takes only a quick press for a click; here it is one that did not move.
  function click({ x, y }) {
    const bounds = layer.getBoundingClientRect();
    const scale = bounds.width / layer.viewBox.baseVal.width;
    const hit = store.getAt((x - bounds.left) / scale, (y - bounds.top) / scale, undefined, STILL / scale);
    select(hit?.id ?? null);
  }

  function release() {
    const [at, change] = [pressed, changing];
    [pressed, changing] = [null, null];
    if (at === null) return;
    if (isClick) click(at);
    if (change === null) return;
    on.moved(change.id, change.sides);
    if (!isClick) select(change.id); // the end of a quick drag passes for a click beside the box
  }

  layer.addEventListener("pointerdown", press, { capture: true });
  const { signal } = ending;
  window.addEventListener(
    "pointerup",
    (event) => {
      isClick = pressed !== null && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < STILL;
    },
    { capture: true, signal },
  );
  window.addEventListener("pointerup", release, { signal });

  return {
    // Makes the layer hold exactly `boxes`.
    show(boxes) {
      const ids = new Set(boxes.map((box) => box.id));
      for (const { id } of store.all()) if (!ids.has(id)) store.deleteAnnotation(id, OURS);
      for (const box of boxes) {
        const known = store.getAnnotation(box.id);
        if (!known) store.addAnnotation(toAnnotation(box), OURS);
        else if (!holds(known, box)) store.updateAnnotation(toAnnotation(box), OURS);
      }
    },
    select,
    cancel: () => annotator.cancelDrawing(),
    close() {
      ending.abort();
      annotator.destroy();
    },
  };
}
