"""The page of an iteration: what stands on it. How it is said and laid out is in templates/iteration.html."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.convergence.history.history_columns import classes_of
from stages.holdout.openings import opened_text
from stages.report.pages.iterations import (
    Seconds,
    charts,
    class_rows,
    costs,
    other_rulers,
    ruler_before,
    table_rows,
    tiles,
)
from stages.report.pages.promise_charts import promise_charts
from stages.report.pages.shots import Shot
from stages.review.ledger.correction_ledger import OUTCOMES
from stages.review.ledger.ledger_lines import agreement_text, promise, random_line, rates_text
from stages.ruler.losses.fates import FATES
from stages.ruler.val_notes import FEW_BOXES

Rows = Sequence[Mapping[str, Any]]
_GROUPS = 12  # so many are listed in full
_VERSIONS = ("ultralytics", "torch", "encoder", "device", "start", "weights_sha256")


class Shots(NamedTuple):
    """The shots of a page; `note` says why there are none, or is ""."""

    misses: Sequence[Shot] = ()
    alarms: Sequence[Shot] = ()
    packet: Sequence[Shot] = ()
    note: str = ""


class Page(NamedTuple):
    """All that stands on a page."""

    report: Mapping[str, Any]  # as in metrics/reports/iteration_NN.json
    history: pd.DataFrame  # a row per iteration, up to this one
    commit: str | None  # of the finished iteration
    suggestions: Sequence[Mapping[str, Any]]  # as in metrics/prompt_suggestions.json
    pictures: Shots
    seconds: Seconds
    pages: Mapping[int, str]  # earlier iterations that have a page -> its address
    suspects: str | None = None  # address of the page of labels that look wrong, if there is one
    openings: Sequence[Mapping[str, Any]] = ()  # of test: the rows of metrics/holdout.csv


def iteration_values(page: Page) -> dict[str, Any]:
    """Return the values of templates/iteration.html; a report of an older version lacks some, which are then empty."""
    report, history = page.report, page.history
    tables, train, labels = report["tables"], report["train"], report.get("labels", {})
    return {
        **page._asdict(),
        "auto": labels.get("auto", 0),
        "in_train": sum(labels.values()),
        "tiles": tiles(history, tables["scores"], report["verdict"]),
        "classes": classes_of(history.columns.tolist()),
        "charts": charts(history, report["params"]["converge"]["target_f1"]),
        "rows": table_rows(history),
        "class_rows": class_rows(history),
        "other_rulers": other_rulers(history),
        "ruler_before": ruler_before(history),
        "ruler": {key: _plain(value) for key, value in report["validate"]["ruler_statement"][0].items()},
        "scores": {part: of_part(tables["scores"], part) for part in ("all", "class", "size", "group")},
        **ledger_values(tables["ledger"]),
        "errors": [row for row in tables["errors"] if row["split"] == "val"],
        "signs": misses(tables["counts"]),
        **regression_values(report["verdict"].get("regression") or {}),
        **review_values(report.get("review", {})),
        "sample": report["sample"],
        "opened": opened_text(len(page.openings)),
        "costs": costs(history, page.seconds),
        "versions": {name: train[name] for name in _VERSIONS if name in train},
        "used": {key: value for key, value in train.items() if key not in _VERSIONS},
    }


def of_part(rows: Rows, part: str) -> Rows:
    """Return the rows of one part of val, from the rows of data/validate/scores.csv."""
    return [row for row in rows if row["split"] == "val" and row["part"] == part]


def ledger_values(rows: Rows) -> dict[str, Any]:
    """Return what became of the boxes of val: all of them, per class, and the fates that there are, in their order.

    `rows` are those of data/validate/ledger.csv: split, class_name, boxes, and a count per fate.
    """
    val = [row for row in rows if row["split"] == "val"]
    total = next((row for row in val if row["class_name"] == "all" and row["boxes"]), None)
    fates = {name: total[name] for name in FATES if total.get(name)} if total else {}
    return {"boxes": total, "boxes_by_class": val[1:], "fates": fates}


def regression_values(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was lost and won since the iteration before, and the sheets with a loss, each with what it lost.

    `found` is `regression` of metrics/converge.json, empty for an older iteration.
    """
    sheets = [
        {**sheet, "kinds": _kinds([f"{box['size']} {box['class_name']}" for box in sheet["lost"]])}
        for sheet in found.get("sheets", [])
        if sheet["lost"]
    ]
    regression = {"note": "", "parts": [], **found}
    parts, groups = regression["parts"], sum(one["part"] == "group" for one in regression["parts"])
    shown = [one for one in parts if one["part"] != "group" or groups <= _GROUPS or one["lost"]]
    return {
        "regression": regression,
        "shown_parts": shown,
        "hidden_groups": len(parts) - len(shown),
        "lost_sheets": sheets,
        "few_boxes": FEW_BOXES,
    }


def _kinds(names: Sequence[str]) -> str:
    """Return names with how often each is there: `2 tiny title, 1 small door`."""
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())


def review_values(review: Mapping[str, Any]) -> dict[str, Any]:
    """Return the review before the iteration, metrics/review.json, and the outcomes that there are, in their order."""
    outcomes = {name: review[name] for name in OUTCOMES if review.get(name)}
    said = [text(review) for text in (rates_text, agreement_text) if review.get("arms")]
    return {
        "review": review,
        "outcomes": outcomes,
        "promise": promise(review),
        "promises": promise_charts(review),
        "random_line": random_line(review),
        "second_looks": list(filter(None, said)),
    }


def misses(counts: Rows) -> list[dict[str, int]]:
    """Return what the missed boxes of val have in common, from the rows of data/analyze/counts.csv."""
    kinds = [
        {row["name"]: row["fn"] for row in counts if (row["split"], row["kind"]) == ("val", kind)}
        for kind in ("size", "position", "sign")
    ]
    return [kind for kind in kinds if kind]


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False).strip("{}") or "none" if isinstance(value, dict) else value
