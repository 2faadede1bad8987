// Draws the boxes of a sheet, their names, and the frames of what to look at, under the layer that takes the mouse.

const SVG = "http://www.w3.org/2000/svg";
const FRAME = 7; // px of the screen between an object and the frame around it
const NARROW = 30; // px of the screen: the name of a narrower box would hide more than it says
const [LETTER, LINE] = [6.6, 14]; // px of the screen that a name takes: the width of a letter, and its height

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

const place = (rect, { x1, y1, x2, y2 }, pad = 0) => {
  rect.setAttribute("x", x1 - pad);
  rect.setAttribute("y", y1 - pad);
  rect.setAttribute("width", x2 - x1 + 2 * pad);
  rect.setAttribute("height", y2 - y1 + 2 * pad);
};

const meet = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

export function createMarks(image, sheet) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "marks");
  svg.setAttribute("viewBox", `0 0 ${sheet.width} ${sheet.height}`);
  svg.setAttribute("aria-hidden", "true");
  image.after(svg); // under the layer with the handles
  const frames = element("g", { class: "frames" }, svg);
  const boxes = element("g", { class: "boxes" }, svg);
  let drawn = new Map(); // id -> {group, rects, text, at, selected}
  let framed = []; // [rect, focus box]
  let scale = 1;
  let asked = 0; // of the browser, to look at the names before it draws

  // Names of narrow boxes, and those that would lie over each other, are left out; that of the selected box stays.
  function thin() {
    asked = 0;
    const kept = [];
    const marks = [...drawn.values()].sort((one, other) => other.selected - one.selected);
    for (const { text, at, selected } of marks) {
      const [left, bottom] = [at.x1 * scale, at.y1 * scale];
      const place = { left, right: left + LETTER * text.textContent.length, top: bottom - LINE, bottom };
      const wide = (at.x2 - at.x1) * scale >= NARROW;
      const free = selected || (wide && !kept.some((one) => meet(one, place)));
      text.style.display = free ? "" : "none";
      if (free) kept.push(place);
    }
  }

  function askToThin() {
    if (!asked) asked = requestAnimationFrame(thin);
  }

  function put(mark, sides) {
    const { rects, text } = mark;
    mark.at = sides;
    for (const rect of rects) place(rect, sides);
    text.setAttribute("x", sides.x1);
    text.setAttribute("y", sides.y1);
  }

  function add(id) {
    const group = element("g", {}, boxes);
    const rects = [element("rect", { class: "under" }, group), element("rect", { class: "line" }, group)];
    return { group, rects, text: element("text", {}, group) };
  }

  return {
    // `described`: [{box, place of its class, proposed, selected, label}]
    show(described) {
      const next = new Map();
      for (const { box, classPlace, proposed, selected, label } of described) {
        const mark = drawn.get(box.id) ?? add(box.id);
        drawn.delete(box.id);
        put(mark, box);
        const states = `${proposed ? " proposed" : ""}${selected ? " selected" : ""}`;
        mark.group.setAttribute("class", `k${classPlace}${states}`); // palette.js has their colours
        if (mark.text.textContent !== label) mark.text.textContent = label;
        mark.selected = selected;
        next.set(box.id, mark);
      }
      for (const { group } of drawn.values()) group.remove();
      drawn = next;
      askToThin();
    },
    move(id, sides) {
      if (drawn.has(id)) put(drawn.get(id), sides);
    },
    frame(focus, current) {
      frames.replaceChildren();
      framed = focus
        .filter((one) => one.kind !== "nothing_seen")
        .map((one) => [element("rect", { class: one.id === current ? "now" : "", rx: 4 / scale }, frames), one]);
      this.rescale(scale);
    },
    rescale(next) {
      scale = next;
      askToThin();
      svg.style.setProperty("--px", `${1 / scale}px`);
      for (const [rect, one] of framed) {
        place(rect, one, FRAME / scale);
        rect.setAttribute("rx", 5 / scale);
      }
    },
  };
}
