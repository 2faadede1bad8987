// Zoom and pan: how large the paper is drawn, and where. The paper gets its real size rather than a CSS scale, so that
// lines and handles keep their width on the screen.

const MARGIN = 24; // px around the whole sheet
const LARGEST = 8; // px of the screen for one of the sheet
const LEAST_SHOWN = 420; // px of the sheet around a small box
const STEP = 1.0015; // per px of the wheel
const KEPT = 80; // px of the paper that stay in sight

export function createView(area, paper, onChange) {
  let sheet = { width: 1, height: 1 };
  let [scale, x, y] = [1, 0, 0];
  let fitted = false; // stays so when the window changes its size

  const fitting = () =>
    Math.min(
      (area.clientWidth - 2 * MARGIN) / sheet.width,
      (area.clientHeight - 2 * MARGIN) / sheet.height,
      LARGEST / 2,
    );

  function place() {
    const [width, height] = [sheet.width * scale, sheet.height * scale];
    x = Math.min(Math.max(x, KEPT - width), area.clientWidth - KEPT);
    y = Math.min(Math.max(y, KEPT - height), area.clientHeight - KEPT);
    fitted = false;
    paper.style.width = `${width}px`;
    paper.style.height = `${height}px`;
    paper.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    onChange(scale);
  }

  // Where the paper begins, as near to `wanted` as it can while it fills the room; else it stands in the middle.
  function begin(room, size, wanted) {
    return size + 2 * MARGIN <= room ? (room - size) / 2 : Math.min(Math.max(wanted, room - MARGIN - size), MARGIN);
  }

  function fill(left, top) {
    x = begin(area.clientWidth, sheet.width * scale, left);
    y = begin(area.clientHeight, sheet.height * scale, top);
    place();
  }

  const limited = (wanted) => Math.min(Math.max(wanted, fitting() / 2), LARGEST);

  function centre(box, wanted) {
    scale = limited(wanted);
    const [left, top] = [((box.x1 + box.x2) / 2) * scale, ((box.y1 + box.y2) / 2) * scale];
    fill(area.clientWidth / 2 - left, area.clientHeight / 2 - top);
  }

  // What lies at `left`, `top` px of the room stays there.
  function zoomAt(factor, left, top) {
    const before = scale;
    scale = limited(scale * factor);
    fill(left - ((left - x) * scale) / before, top - ((top - y) * scale) / before);
  }

  function fit() {
    centre({ x1: 0, y1: 0, x2: sheet.width, y2: sheet.height }, fitting());
    fitted = true;
  }

  function pan(dx, dy) {
    [x, y] = [x + dx, y + dy];
    place();
  }

  // The box with enough around it to see what it belongs to.
  function zoomTo(box) {
    const side = Math.max(box.x2 - box.x1, box.y2 - box.y1);
    const shown = Math.max(5 * side, LEAST_SHOWN);
    centre(box, Math.min(area.clientWidth, area.clientHeight) / shown);
  }

  // Moves only when the box is not wholly in sight.
  function reveal(box) {
    const [left, top] = [box.x1 * scale + x, box.y1 * scale + y];
    const [right, bottom] = [box.x2 * scale + x, box.y2 * scale + y];
    const inside = left >= 0 && top >= 0 && right <= area.clientWidth && bottom <= area.clientHeight;
    if (!inside) centre(box, scale);
  }

  area.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const bounds = area.getBoundingClientRect();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 32 : 1;
      const delta = Math.max(-400, Math.min(400, event.deltaY * lines * (event.ctrlKey ? 5 : 1))); // ctrl: a pinch
      zoomAt(STEP ** -delta, event.clientX - bounds.left, event.clientY - bounds.top);
    },
    { passive: false },
  );

  new ResizeObserver(() => {
    if (area.isConnected) (fitted ? fit : place)(); // not once the page says that the review is finished
  }).observe(area);

  return {
    open(next) {
      sheet = next;
      fit();
    },
    zoom: (factor) => zoomAt(factor, area.clientWidth / 2, area.clientHeight / 2),
    get scale() {
      return scale;
    },
    fit,
    pan,
    zoomTo,
    reveal,
  };
}
