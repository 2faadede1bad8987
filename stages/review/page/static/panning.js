// Moves the sheet with the middle button, or with any button while Space is held; keeps other buttons off the boxes.

export function panWith(area, view) {
  let [space, from] = [false, null];
  const isTyping = (event) => event.target.closest?.("button, a, input, dialog");

  function hold(event, down) {
    if (event.key !== " " || (down && isTyping(event))) return;
    space = down;
    area.classList.toggle("panning", down);
    if (down) event.preventDefault();
  }

  window.addEventListener("keydown", (event) => hold(event, true));
  window.addEventListener("keyup", (event) => hold(event, false));
  window.addEventListener("blur", () => hold({ key: " " }, false));

  area.addEventListener(
    "pointerdown",
    (event) => {
      if (event.target.closest("button")) return;
      if (event.button !== 0 || space) event.stopPropagation();
      if (event.button !== 1 && !space) return;
      event.preventDefault();
      from = { x: event.clientX, y: event.clientY };
      area.setPointerCapture(event.pointerId);
    },
    { capture: true },
  );
  area.addEventListener("pointermove", (event) => {
    if (from === null) return;
    view.pan(event.clientX - from.x, event.clientY - from.y);
    from = { x: event.clientX, y: event.clientY };
  });
  area.addEventListener("pointerup", () => (from = null));
  area.addEventListener("pointercancel", () => (from = null));
}
