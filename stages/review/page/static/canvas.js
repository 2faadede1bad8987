// Drawing, selecting, moving and resizing boxes with the mouse: Annotorious does that, on a layer over the picture.
// It shows the handles of the selected box alone; marks.js draws the boxes.

import "./vendor/annotorious.js"; // a script that sets a global, not a module

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
  let shown = new Map(); // id -> the box that Annotorious was given
  let changing = null; // what the mouse is moving now: {id, sides}

  store.observe(({ changes, origin }) => {
    if (origin === OURS) return;
    for (const annotation of changes.created ?? []) on.drawn(annotation.id, sidesOf(annotation));
    for (const { newValue } of changes.updated ?? []) {
      changing = { id: newValue.id, sides: sidesOf(newValue) };
      on.moving(changing.id, changing.sides);
    }
  });
  annotator.on("selectionChanged", (annotations) => on.selected(annotations[0]?.id ?? null));

  function release() {
    if (changing === null) return;
    const { id, sides } = changing;
    changing = null;
    on.moved(id, sides);
    annotator.setSelected(id, true); // the end of a quick drag passes for a click beside the box
  }

  // With a box selected, Annotorious draws no other one: so a press beside it deselects first.
  function press(event) {
    if (event.target.closest(".a9s-annotation.selected")) return;
    annotator.setSelected();
    layer.setPointerCapture(event.pointerId); // a box may be drawn over the edge of the sheet
  }

  layer.addEventListener("pointerdown", press, { capture: true });
  window.addEventListener("pointerup", release);

  return {
    // Makes the layer hold exactly `boxes`.
    show(boxes) {
      const next = new Map(boxes.map((box) => [box.id, box]));
      for (const id of shown.keys()) if (!next.has(id)) store.deleteAnnotation(id, OURS);
      for (const [id, box] of next) {
        if (!store.getAnnotation(id)) store.addAnnotation(toAnnotation(box), OURS);
        else if (!holds(store.getAnnotation(id), box)) store.updateAnnotation(toAnnotation(box), OURS);
      }
      shown = next;
    },
    select: (id) => annotator.setSelected(id ?? undefined, true),
    cancel: () => annotator.cancelDrawing(),
    close() {
      window.removeEventListener("pointerup", release);
      annotator.destroy();
    },
  };
}
