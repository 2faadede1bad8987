// The lists beside the sheet: what to look at, the classes, and all sheets.

import { findClasses } from "./finder.js";

const KINDS = { missed: "missed", uncertain: "unsure", nothing_seen: "whole sheet", label: "check the label:" };
const STATES = { untouched: "not opened", unreviewed: "begun", reviewed: "done" };
const KEYS = 9;
const TAIL = 11; // characters at the end of a long name that stay: sheets of a set differ there

function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const button = (attributes, run, ...children) => {
  const element = made("button", { type: "button", ...attributes }, ...children);
  element.addEventListener("click", run);
  return element;
};

export function showFocus(list, focus, current, run) {
  const items = focus.map((one) => {
    const what = [KINDS[one.kind] ?? one.kind, one.class_name].filter(Boolean).join(" ");
    const texts = [made("b", {}, what), made("span", {}, one.reason)];
    return made(
      "li",
      {},
      button({ "aria-current": one.id === current && "true" }, () => run(one), ...texts),
    );
  });
  const nothing = made("li", { class: "soft" }, "Nothing in particular: look over the whole sheet.");
  list.replaceChildren(...(items.length > 0 ? items : [nothing]));
}

export function showClasses(list, classes, typed, counts, current, run) {
  const found = findClasses(classes, typed);
  const items = found.map((name) => {
    const place = classes.indexOf(name);
    const key = made("kbd", {}, place < KEYS ? String(place + 1) : "");
    const swatch = made("i", { class: `k${place}`, "aria-hidden": "true" });
    const count = made("span", { class: "count" }, String(counts.get(name) ?? 0));
    const label = made("span", { class: "name", title: name }, name);
    const isTaken = typed.trim() !== "" && name === found[0]; // by Enter
    return made(
      "li",
      { class: isTaken && "taken" },
      button({ "aria-pressed": String(name === current) }, () => run(name), key, swatch, label, count),
    );
  });
  const nothing = made("li", { class: "soft" }, "No class has that in its name.");
  list.replaceChildren(...(items.length > 0 ? items : [nothing]));
  list.querySelector(typed.trim() ? ".taken" : '[aria-pressed="true"]')?.scrollIntoView({ block: "nearest" });
}

export function showSheets(list, sheets, current, run) {
  let group = "";
  const items = sheets.flatMap((sheet) => {
    const heading = sheet.group !== group ? [made("li", { class: "group" }, sheet.group || "no group")] : [];
    group = sheet.group;
    const state = made("i", { class: `state ${sheet.status}`, role: "img", "aria-label": STATES[sheet.status] });
    const [head, end] = [sheet.image_id.slice(0, -TAIL), sheet.image_id.slice(-TAIL)];
    const label = made("span", { class: "name", title: sheet.image_id }, made("span", {}, head), made("span", {}, end));
    const place = made("small", {}, String(sheet.order));
    const here = sheet.order === current && "true";
    return [
      ...heading,
      made(
        "li",
        {},
        button({ "aria-current": here }, () => run(sheet.order), place, label, state),
      ),
    ];
  });
  list.replaceChildren(...items);
  list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}
