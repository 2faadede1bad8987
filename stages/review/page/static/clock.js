// Seconds that somebody worked on a sheet: the page is in sight, and a key or the mouse was used a short while ago.

const IDLE = 30_000; // ms without an input after which nobody is thought to be there
const TICK = 1_000;

export function createClock(onTick) {
  let [lastInput, lastTick] = [performance.now(), performance.now()];
  for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) {
    window.addEventListener(kind, () => (lastInput = performance.now()), { capture: true, passive: true });
  }
  setInterval(() => {
    const now = performance.now();
    const passed = Math.min(now - lastTick, 2 * TICK); // a machine that slept did not work
    lastTick = now;
    if (document.visibilityState === "visible" && now - lastInput < IDLE) onTick(passed / 1000);
  }, TICK);
}
