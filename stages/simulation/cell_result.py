"""The numbers that a cell leaves: scores on test and val, what was reviewed so far, and what the last packet held."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.base.params import PARAMS, read_classes, read_section
from stages.base.tables import read_metrics
from stages.holdout.holdout import measure_beside_val, tables_of_test
from stages.picking.random_arm import PICKED, RANDOM
from stages.picking.strategies.review_cost import ReviewCost
from stages.review.ledger.ledger_files import REVIEW_SHEETS, read_review_sheets
from stages.ruler.scores.score_rows import row_of
from stages.ruler.validate_params import AUTO, ValidateParams

_USUAL = 0.25  # the confidence of params.yaml, where the project has `auto`
_SCORE = ("f1", "f1_low", "f1_high", "precision", "recall", "tp", "fp", "fn")
EXPECTED = ("expected_errors", "expected_errors_low", "expected_errors_high", "expected_minutes")


def cell_result(root: Path, *, arm: str, seed: int, iteration: int, picked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of the iteration that has run in the project at `root`.

    `picked` is metrics/sample.json of the packet that came before it; nothing for iteration 0.
    """
    train, verdict = read_metrics(root / "metrics/train.json"), read_metrics(root / "metrics/converge.json")
    sheets = read_review_sheets(root / REVIEW_SHEETS)
    return {
        "arm": arm,
        "seed": seed,
        "iteration": iteration,
        **_scores(root),
        "train_sheets": train["images"],
        "train_boxes": train["boxes"],
        **work(sheets),  # so far
        "packet": _packet(sheets[sheets["iteration"] == iteration - 1], picked) if picked else None,
        "verdict": verdict["verdict"],
        "rule": verdict["rule"],
        "ruler": read_metrics(root / "metrics/validate.json")["ruler"],
        "weights_sha256": train["weights_sha256"],
    }


def work(sheets: pd.DataFrame) -> dict[str, float]:
    """Return sheets reviewed, boxes looked at, errors mended and minutes of a person, from rows of the ledger.

    Minutes are those of `ReviewCost()`: the labels that were held back take no time.
    """
    boxes, errors = sheets["boxes"].to_numpy(float), sheets["errors"].to_numpy(float)
    minutes = ReviewCost().minutes(sheets=np.ones(len(sheets)), boxes=boxes, errors=errors)
    return {
        "sheets": len(sheets),
        "boxes": int(boxes.sum()),
        "errors": int(errors.sum()),
        "minutes": float(minutes.sum()),
    }


def _packet(sheets: pd.DataFrame, picked: Mapping[str, Any]) -> dict[str, Any]:
    parts = {part: work(sheets[sheets["arm"] == part]) for part in (PICKED, RANDOM)}
    return {**parts, **{name: picked.get(name) for name in EXPECTED}}


def _scores(root: Path) -> dict[str, Any]:
    """Return the scores where val chooses the confidence, and at the project's own."""
    classes = read_classes(root / PARAMS)
    params = read_section(ValidateParams, "validate", root / PARAMS)
    own = _USUAL if params.confidence == AUTO else params.confidence
    tables = tables_of_test(root, classes)
    found: dict[str, Any] = {}
    for name, confidence in (("", AUTO), ("_at_own", own)):
        asked = ValidateParams(iou=params.iou, confidence=confidence)
        report = measure_beside_val(root, classes, tables, asked)
        for split in ("test", "val"):
            row = row_of(report.scores, split=split)
            found[f"{split}{name}"] = {key: row[key] for key in _SCORE} | {"confidence": report.confidence}
    return found
