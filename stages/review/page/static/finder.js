// The field that finds a class by its name: letters narrow the list, Enter takes its first.

const NINE = 9; // classes have a key; with more of them the field is always there

const bare = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// 0: the whole name was typed; 1: how it begins; 2: how a word in it begins; 3: a part of a word; null: none of these.
function closeness(name, typed) {
  const [text, wanted] = [bare(name), bare(typed)];
  if (text === wanted) return 0;
  if (text.startsWith(wanted)) return 1;
  const words = text.split(/[^\p{L}\p{N}]+/u);
  if (words.some((word) => word.startsWith(wanted))) return 2;
  return text.includes(wanted) ? 3 : null;
}

// The classes that may be meant, the closest first; all of them while nothing is typed.
export function findClasses(classes, typed) {
  const near = classes.map((name) => ({ name, rank: closeness(name, typed.trim()) }));
  return near
    .filter((one) => one.rank !== null)
    .sort((one, other) => typed.trim() && one.rank - other.rank)
    .map((one) => one.name);
}

// `on.changed()` when the list is to be shown anew; `on.taken(name)` and `on.left()` give the keys back to the sheet.
export function createFinder(field, classes, on) {
  const around = field.parentElement;

  function close() {
    field.value = "";
    field.hidden = classes.length <= NINE;
    on.changed();
  }

  function press(event) {
    if (event.key === "Escape") on.left();
    if (event.key !== "Enter" || event.isComposing) return; // composing: Enter ends a letter of another script
    const [first] = field.value.trim() ? findClasses(classes, field.value) : [];
    if (first !== undefined) on.taken(first);
    if (!field.value.trim()) on.left();
  }

  field.hidden = classes.length <= NINE;
  field.addEventListener("input", () => on.changed());
  field.addEventListener("keydown", press);
  around.addEventListener("mousedown", (event) => event.target !== field && event.preventDefault()); // it keeps the focus
  around.addEventListener("focusout", (event) => around.contains(event.relatedTarget) || close());

  return {
    typed: () => field.value,
    open() {
      field.hidden = false;
      field.focus();
    },
  };
}
