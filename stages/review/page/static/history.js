// What was done to one sheet: every state of its boxes, with undo and redo.

const SAME_STEP = 900; // ms in which equal small changes (a held arrow key) are one step

export function createHistory(boxes) {
  let [past, now, future] = [[], boxes, []];
  let last = { step: "", at: 0 };
  return {
    get boxes() {
      return now;
    },
    commit(next, step = "") {
      const at = Date.now();
      const goesOn = step !== "" && step === last.step && at - last.at < SAME_STEP;
      if (!goesOn) past = [...past, now];
      [now, future, last] = [next, [], { step, at }];
    },
    undo() {
      if (past.length === 0) return false;
      [past, now, future, last] = [past.slice(0, -1), past.at(-1), [now, ...future], { step: "", at: 0 }];
      return true;
    },
    redo() {
      if (future.length === 0) return false;
      [past, now, future, last] = [[...past, now], future[0], future.slice(1), { step: "", at: 0 }];
      return true;
    },
  };
}
