// The keys of the page: one table for what they do and for the list that `?` shows.

// {keys: what is pressed, shown: as the list shows it, does: in words, run}
export function createKeys(bindings, isOff) {
  const known = new Map(bindings.flatMap((one) => one.keys.map((key) => [key, one])));
  window.addEventListener(
    "keydown",
    (event) => {
      if (isOff(event)) return;
      const binding = known.get(pressed(event));
      if (!binding) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // Annotorious has keys of its own for undo
      binding.run(event);
    },
    { capture: true },
  );
}

// "d", "shift+tab", "ctrl+shift+z", "digit3"; digits by their place, since some keyboards need Shift for them.
function pressed(event) {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  const plainDigit = digit && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (plainDigit) return `digit${digit[1]}`;
  const key = event.key.toLowerCase();
  const letter = key.length > 1 || /[a-z]/.test(key); // Shift is part of how "?" or "+" is typed
  const held = [
    event.ctrlKey || event.metaKey ? "ctrl" : "",
    event.altKey ? "alt" : "",
    event.shiftKey && letter ? "shift" : "",
  ];
  return [...held, key === " " ? "space" : key].filter(Boolean).join("+");
}

export function listKeys(bindings, into) {
  const groups = new Map();
  for (const one of bindings) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  for (const [group, members] of groups) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = group;
    const list = document.createElement("dl");
    for (const { shown, does } of members) {
      const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
      for (const key of shown) {
        const cap = document.createElement("kbd");
        cap.textContent = key;
        term.append(cap, " ");
      }
      meaning.textContent = does;
      list.append(term, meaning);
    }
    section.append(title, list);
    into.append(section);
  }
}
