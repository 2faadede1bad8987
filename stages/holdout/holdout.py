"""`yoloop holdout`: scores the finished weights on `test`, with the ruler of val, and records that it was opened."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_iteration, read_section
from stages.base.tables import DECIMALS, conform, read_json, read_metrics, read_table
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, read_split, split_sheets
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.prediction_tables import predicted_tables
from stages.detector.prediction.sheet_predictions import predictions
from stages.detector.prediction.tiles.label_overlap import read_tiling
from stages.firewall.kinship import copies_of
from stages.firewall.roles import Kinship, leaks
from stages.holdout.openings import SPLITS, changed_test, opened_text, opening_row, result_line
from stages.holdout.openings_file import OPENINGS, TAG, openings_text, read_openings
from stages.project.preconditions import (
    iteration_tag,
    require_as_tagged,
    require_clean,
    require_finished,
    require_repository,
)
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import transact
from stages.prompts.texts.prompt_file import PROMPTS, read_prompts
from stages.ruler.labelled_tables import content_of, labelled_tables
from stages.ruler.measurement import Report, Tables, measure
from stages.ruler.pairing.box_tables import DETECTIONS, DISCARDED, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.ruler.size_bounds import SizeBounds
from stages.ruler.validate_params import ValidateParams, point_of

TABLES = Path("data/validate")
_SCHEMAS = (IMAGES, GROUND_TRUTH, DETECTIONS, DISCARDED)  # of `Tables`
_GO_ON = "The verdict is to go on: the loop has not ended. Test is opened once, and after this it has been. Open it?"
_SIDES = ("test", "train")  # that must not share a sheet


def holdout(root: Path = Path(), *, again: str | None = None, sure: Callable[[str], bool] = lambda _: True) -> str:
    """Score the weights of the finished iteration on test, record it in one commit, tag it; return what to print.

    `again` is the reason to open test once more. `sure` is asked where the verdict is to go on: what test says cannot
    be unseen, and whatever it makes one change, it has had its say in. Nothing of the score is shown before it is
    recorded. Raises `UserError`, with nothing changed, unless the iteration is finished and clean and test is whole and
    labelled.
    """
    require_repository(root)
    with exclusive(root):
        iteration, classes = read_iteration(root / PARAMS), read_classes(root / PARAMS)
        earlier = read_openings(root)
        reason = _reason(earlier, again)
        require_finished(root, iteration)
        _require_as_run(root, iteration)
        require_clean(root, iteration=iteration, finished=False)
        require_as_tagged(root, iteration)
        verdict = read_metrics(root / "metrics/converge.json")["verdict"]
        if verdict != "stop" and not sure(_GO_ON):
            raise problem("holdout.loop_ended", "metrics/converge.json")
        require_sheets(root)
        report = measure_test(root, classes)
        found = opening_row(report.scores, _facts(root, iteration, len(earlier) + 1, report), reason=reason)
        row = {key: round(value, DECIMALS) if isinstance(value, float) else value for key, value in found.items()}
        rows = [*earlier, row]
        why = f"\n\nAgain: {reason}" if reason else ""
        message = f"Open test with iteration {iteration}: opening {row['opening']}{why}"
        files: dict[str, bytes | None] = {str(OPENINGS): openings_text(rows).encode()}
        tag = f"{TAG}{row['opening']}"
        transact(root, name="yoloop holdout", commits=[Commit(message, files)], tags={tag: 0})
        return "\n".join(_said(rows, tag, verdict=verdict))


def _require_as_run(root: Path, iteration: int) -> None:
    """Raise `UserError` when params or prompts were edited since: test is scored with what the iteration ran with."""
    tag = iteration_tag(root, iteration)
    for path in map(str, (PARAMS, PROMPTS)):
        if git.content(root, tag, path) != git.here(root, path):
            raise problem("holdout.as_run", root / path, tag=tag)


def _reason(earlier: Sequence[dict[str, Any]], again: str | None) -> str:
    """Return why test is opened once more, "" for the first time; raise `UserError` where that was not said."""
    reason = " ".join((again or "").split())
    if earlier and not reason:
        last = earlier[-1]
        raise problem(
            "holdout.test_was_never",
            f"tag {TAG}{last['opening']}",
            opened_text=opened_text(len(earlier)),
            iteration=last["iteration"],
            date=last["date"],
        )
    if again is not None and not earlier:
        raise problem("holdout.earlier_opening_test", "--again")
    return reason


def require_sheets(root: Path) -> None:
    """Raise `UserError` unless test has sheets, all of them labelled, at least one box, and no copy of one in train."""
    folder = root / DATASET / "test"
    sheets = read_split("test", root / DATASET) if folder.is_dir() else []
    if not sheets:
        raise problem("holdout.sheets", folder)
    unlabelled = [sheet.image_id for sheet in sheets if not sheet.labelled]
    if unlabelled:
        raise problem(
            "holdout.label_file_every", folder, number_of_unlabelled=len(unlabelled), unlabelled=unlabelled[0]
        )
    if not any(sheet.label.read_bytes().strip() for sheet in sheets):
        raise problem("holdout.boxes_find", folder)
    _require_no_leak(root)


def _require_no_leak(root: Path) -> None:
    """Raise `UserError` when train holds a copy of a sheet of test, or a sheet of its group."""
    files = {split: {one.image_id: one.image for one in read_split(split, root / DATASET)} for split in _SIDES}
    rows = [row for split in _SIDES for row in read_manifest(root / DATASET / split / MANIFEST)]
    kinship = Kinship(copies_of(files["test"], files["train"]), {row.image_id: row.group for row in rows})
    found = leaks({name: split for split in _SIDES for name in files[split]}, kinship)
    if found:
        more = f", and {len(found) - 1} more pairs" if len(found) > 1 else ""
        raise problem("holdout.copy_sheet_test", files["test"][found[0].kept], other=found[0].other, more=more)


def measure_test(root: Path, classes: Sequence[str]) -> Report:
    """Predict on test, and measure it beside val, whose boxes the stages have saved; nothing is written.

    The same functions with the same params as in the stages; with `validate.confidence: auto` the sheets of test are
    judged by the threshold that all of val chooses.
    """
    params = read_section(ValidateParams, "validate", root / PARAMS)
    return measure_beside_val(root, classes, tables_of_test(root, classes), params)


def tables_of_test(root: Path, classes: Sequence[str]) -> Tables:
    """Predict on test, and return what was there and what was seen."""
    predict = read_section(PredictParams, "predict", root / PARAMS)
    sheets = split_sheets(("test",), classes, root / DATASET)
    prompts = read_prompts(classes, root / PROMPTS)
    tiling = read_tiling(classes, root)
    seen = list(predictions(sheets, classes=classes, prompts=prompts, params=predict, tiling=tiling))
    return labelled_tables(sheets, *predicted_tables(sheets, seen)[:3], root=root / DATASET)


def measure_beside_val(root: Path, classes: Sequence[str], test: Tables, params: ValidateParams) -> Report:
    """Return what `test` is worth, judged as `params` say, beside the boxes of val that the stages have saved."""
    predict = read_section(PredictParams, "predict", root / PARAMS)
    bounds = read_section(SizeBounds, "analyze", root / PARAMS)
    return measure(
        _together(_saved_val(root), test),
        classes=classes,
        point=point_of(params, predict.confidence_floor, root / PARAMS),
        size_bounds=bounds.areas,
        splits=SPLITS,
    )


def _saved_val(root: Path) -> Tables:
    places = (TABLES / "images", TABLES / "ground_truth", PREDICTED / "detections", PREDICTED / "discarded")
    tables = [read_table(root / f"{place}.parquet", schema) for place, schema in zip(places, _SCHEMAS, strict=True)]
    return Tables(*(table[table["split"] == "val"] for table in tables))


def _together(val: Tables, test: Tables) -> Tables:
    parts = zip(val, test, _SCHEMAS, strict=True)
    return Tables(*(conform(pd.concat([a, b], ignore_index=True), schema) for a, b, schema in parts))


def _facts(root: Path, iteration: int, opening: int, report: Report) -> dict[str, Any]:
    return {
        "opening": opening,
        "iteration": iteration,
        "commit": git.resolve(root, iteration_tag(root, iteration)),
        "ruler": read_json(root / "metrics/validate.json")["ruler"],
        "confidence": report.confidence,
        "date": datetime.now(UTC).date().isoformat(),  # a record, not a result: it may hold a clock
        "test_content": content_of("test", root / DATASET),
    }


def _said(rows: Sequence[dict[str, Any]], tag: str, *, verdict: str) -> list[str]:
    row = rows[-1]
    changed = ["test held other sheets or labels at an earlier opening."] if changed_test(rows) else []
    early = (
        ["The verdict was to go on: whatever this makes you change, test has had its say in."]
        if verdict != "stop"
        else []
    )
    return [
        f"{result_line(row, 'test')}; {row['sheets']} sheets, {row['boxes']} boxes",
        result_line(row, "val"),
        f"Iteration {row['iteration']}, ruler {row['ruler']}; {opened_text(len(rows))}.",
        *changed,
        *early,
        f"Recorded in {OPENINGS}, tag {tag}. On the page: yoloop report",
    ]
