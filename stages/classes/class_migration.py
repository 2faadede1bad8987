"""`yoloop classes …`: another list of classes for the iteration that is about to run, in one commit and one tag."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_yaml
from stages.base.tables import json_text, read_json
from stages.classes.class_change import ClassChange, removed, row_sources
from stages.classes.class_gate import IterationStart, require_start
from stages.classes.class_lines import change_lines, commit_message
from stages.classes.dataset_migration import (
    SheetBoxes,
    boxes_by_class,
    labelled_sheets,
    migrate_dataset,
    migrate_oracle,
)
from stages.classes.history_migration import ValContent, migrated_history, migrated_outcomes, migrated_review
from stages.classes.prompt_migration import migrated_prompts
from stages.convergence.gains import measured
from stages.convergence.history.history_file import CARRIED, read_carried, write_history
from stages.convergence.outcome_files import PARENT_OUTCOMES, outcomes_text, read_parent_outcomes
from stages.convergence.sheet_history import CARRIED_SHEETS, read_carried_sheets, write_sheets
from stages.dataset.sheets.split_folder import DATASET, check_names
from stages.project.preconditions import require_repository
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.project.yaml_edits import edited
from stages.prompts.texts.prompt_file import PROMPTS, Prompts, read_prompts
from stages.review.kept.review_lock import reviewing
from stages.review.ledger.ledger_files import METRICS as REVIEW
from stages.ruler.labelled_tables import content_of

ORACLE = Path("data/oracle")
PARENT = Path("models/parent.pt")
Making = Callable[[Sequence[str], Prompts], ClassChange]


class Staged(NamedTuple):
    """What was prepared: the files of the commit by path, the boxes of all sheets, and how the weights were moved."""

    files: dict[str, bytes | None]
    sheets: list[SheetBoxes]
    weights: str  # of `Moved`
    rows: Mapping[str, str | None]  # new class -> the old one whose row it has


def change_classes(root: Path, make: Making) -> str:
    """Change the classes to what `make` says of the present ones and their prompts; return what to print.

    Labels of all splits, held-back labels, weights, params, prompts and history follow, and the new start of the
    iteration gets a tag of its own; what was before keeps its tags. Raises `UserError`, with nothing changed, anywhere
    else than at the start of an iteration.
    """
    require_repository(root)
    with exclusive(root), reviewing(root):
        start = require_start(root)
        classes = read_classes(root / PARAMS)
        prompts = read_prompts(classes, root / PROMPTS, twins=True)  # such as GND and gnd, which a merge would mend
        check_names(classes, root / DATASET)
        change = make(classes, prompts)
        _require_no_box_lost(root, change)
        paths = (PARAMS, PROMPTS, CARRIED, CARRIED_SHEETS, PARENT_OUTCOMES, REVIEW)
        read = {str(path): git.here(root, str(path)) for path in paths}
        with staging(root) as (data, models):
            staged = _stage(root, data, models, change, start)
            files = {path: text for path, text in staged.files.items() if path not in read or text != read[path]}
            transact(
                root,
                name=f"yoloop classes: {change.what}",
                commits=[Commit(commit_message(change, staged.sheets, start.tag), files)],
                tags={start.tag: 0},
                read={path: text for path, text in read.items() if path in files},
            )
        return "\n".join(change_lines(change, staged.sheets, staged.rows, weights=staged.weights, tag=start.tag))


def remove_class(root: Path, name: str) -> str:
    """Take the class `name` out, which must have no box anywhere; return what to print, raise as `change_classes`."""
    return change_classes(root, lambda classes, prompts: removed(classes, prompts, name))


def _require_no_box_lost(root: Path, change: ClassChange) -> None:
    """Raise `UserError` when a class has boxes and would go: they would go as well."""
    gone = [name for name in change.old if name not in change.becomes]
    if not gone:
        return
    sheets = labelled_sheets(root / DATASET, root / ORACLE, change.old)
    for name in gone:
        held = [sheet for sheet in sheets if sheet.boxes.get(name)]
        if held:
            boxes = sum(sheet.boxes[name] for sheet in held)
            raise problem("class_migration.boxes_left", f"class {name}", boxes=boxes, sheets=len(held), name=name)


def _stage(root: Path, data: Path, models: Path, change: ClassChange, start: IterationStart) -> Staged:
    """Prepare all that changes in the staging folders, and put it into DVC's cache."""
    sheets = migrate_dataset(root / DATASET, data / "dataset", change)
    if "data/oracle" in start.tracked:
        sheets += migrate_oracle(root / ORACLE, data / "oracle", change)
    rows = row_sources(change, boxes_by_class(sheets, "train"))
    weights = _weights(root, models / PARENT.name, change, rows, baseline=start.iteration == 0)
    content = ValContent(content_of("val", root / DATASET), content_of("val", data / "dataset"))
    files: dict[str, bytes | None] = {
        **_texts(root, change),
        **_history(root, data, change, start.iteration, content),
    }
    staged = {"data/dataset": data / "dataset", "data/oracle": data / "oracle", str(PARENT): models / PARENT.name}
    files |= {f"{name}.dvc": stage_dvc(root, place) for name, place in staged.items() if place.exists()}
    return Staged(files, sheets, weights, rows)


def _texts(root: Path, change: ClassChange) -> dict[str, bytes]:
    """Return params.yaml, the prompts and the last review with the new classes."""
    params = (root / PARAMS).read_text(encoding="utf-8")
    prompts = (root / PROMPTS).read_text(encoding="utf-8-sig")
    texts = {
        PARAMS: edited(params, {"classes": list(change.new)}),
        PROMPTS: migrated_prompts(prompts, read_yaml(root / PROMPTS), change),
    }
    if (root / REVIEW).is_file():
        review = read_json(root / REVIEW)
        migrated = migrated_review(review, change)
        texts |= {REVIEW: json_text(migrated)} if migrated != review else {}
    return {str(path): text.encode() for path, text in texts.items()}


def _history(root: Path, data: Path, change: ClassChange, iteration: int, content: ValContent) -> dict[str, bytes]:
    """Return the history with the counts and the outcomes that are carried beside it, in the new classes."""
    history = read_carried(iteration, change.old, root / CARRIED)
    sheets = read_carried_sheets(history["ruler"].tolist(), root / CARRIED_SHEETS)
    migrated = migrated_history(history, change)
    write_history(migrated, data / CARRIED.name)
    write_sheets(measured(migrated, sheets), data / CARRIED_SHEETS.name)
    files = {str(file): (data / file.name).read_bytes() for file in (CARRIED, CARRIED_SHEETS)}
    outcomes = read_parent_outcomes(iteration, root / PARENT_OUTCOMES)
    if outcomes is not None:
        statement = str(history["ruler_statement"].iloc[-1])
        now = migrated_outcomes(outcomes, change, statement=statement, content=content)
        files[str(PARENT_OUTCOMES)] = outcomes_text(now).encode()
    return files


def _weights(root: Path, target: Path, change: ClassChange, rows: Mapping[str, str | None], *, baseline: bool) -> str:
    from stages.detector.migration.migrated_weights import migrate_weights

    origins = {new: old for old, new in change.same.items()}
    return migrate_weights(
        root / PARENT, target, change.old, told=change.prompts, rows=rows, origins=origins, baseline=baseline
    )
