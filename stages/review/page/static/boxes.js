// Pure functions on boxes: {id, class_name, x1, y1, x2, y2, prelabel}, corners in px of the sheet. Boxes never change;
// a changed one is a new object.

const SIDES = ["x1", "y1", "x2", "y2"];
const SAME_PLACE = 0.5; // intersection over union
export const LEAST = 1; // px that a side keeps when it is made smaller by keys

const hundredth = (value) => Math.round(value * 100) / 100;
const within = (value, low, high) => Math.min(Math.max(value, low), high);

// The part of a box that is on the sheet, to a hundredth of a px; null when nothing is.
export function clipped(box, sheet) {
  const [x1, x2] = [box.x1, box.x2].map((side) => hundredth(within(side, 0, sheet.width)));
  const [y1, y2] = [box.y1, box.y2].map((side) => hundredth(within(side, 0, sheet.height)));
  return x1 < x2 && y1 < y2 ? { ...box, x1, y1, x2, y2 } : null;
}

// Moved as far as the sheet allows, with its size kept.
export function moved(box, dx, dy, sheet) {
  const x = within(dx, -box.x1, sheet.width - box.x2);
  const y = within(dy, -box.y1, sheet.height - box.y2);
  return clipped({ ...box, x1: box.x1 + x, y1: box.y1 + y, x2: box.x2 + x, y2: box.y2 + y }, sheet);
}

// Its right and lower side moved.
export function resized(box, dx, dy, sheet) {
  const x2 = Math.max(box.x2 + dx, box.x1 + LEAST);
  const y2 = Math.max(box.y2 + dy, box.y1 + LEAST);
  return clipped({ ...box, x2, y2 }, sheet);
}

export const sameSides = (one, other) => SIDES.every((side) => one[side] === other[side]);

const sameBox = (one, other) =>
  sameSides(one, other) && one.class_name === other.class_name && one.prelabel === other.prelabel;

export const sameBoxes = (some, others) =>
  some.length === others.length && some.every((box, place) => sameBox(box, others[place]));

// As it was proposed: nobody changed it. The server cuts off what reaches over the edge, by less than is seen.
export function isAsProposed(box, prelabels) {
  const from = box.prelabel === null ? undefined : prelabels.get(box.prelabel);
  if (from === undefined || from.class_name !== box.class_name) return false;
  return SIDES.every((side) => Math.abs(box[side] - from[side]) < 0.01);
}

const area = (box) => (box.x2 - box.x1) * (box.y2 - box.y1);

// The box that lies where `place` does; undefined when none covers it well enough.
export function boxAt(boxes, place) {
  const overlap = (box) => {
    const width = Math.min(box.x2, place.x2) - Math.max(box.x1, place.x1);
    const height = Math.min(box.y2, place.y2) - Math.max(box.y1, place.y1);
    const shared = Math.max(width, 0) * Math.max(height, 0);
    return shared / (area(box) + area(place) - shared);
  };
  const best = boxes.reduce((one, other) => (one && overlap(one) >= overlap(other) ? one : other), undefined);
  return best && overlap(best) >= SAME_PLACE ? best : undefined;
}

// In reading order: rows of `row` px from top to bottom, each from left to right.
export function inReadingOrder(boxes, row) {
  const line = (box) => Math.floor((box.y1 + box.y2) / 2 / row);
  return [...boxes].sort((one, other) => line(one) - line(other) || one.x1 - other.x1 || one.y1 - other.y1);
}

// What the server takes and gives: all of it on the sheet, and not rounded, so that what nobody touched stays as it is.
export const plain = ({ class_name, x1, y1, x2, y2, prelabel }, { width, height }) => ({
  class_name,
  x1: within(x1, 0, width),
  y1: within(y1, 0, height),
  x2: within(x2, 0, width),
  y2: within(y2, 0, height),
  prelabel,
});
