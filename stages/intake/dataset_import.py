"""`yoloop data import`: a person's dataset becomes iteration 0 of the project, in one step."""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages.base.errors import problem
from stages.base.params import PARAMS
from stages.convergence.history.history_columns import empty_history
from stages.convergence.history.history_file import CARRIED, write_history
from stages.convergence.outcome_files import PARENT_OUTCOMES, outcomes_text
from stages.convergence.sheet_history import CARRIED_SHEETS, write_sheets
from stages.dataset.new_dataset import NewSheet, write_dataset, write_oracle
from stages.detector.prediction.tiles.label_overlap import overlap, sides_on
from stages.detector.prediction.tiles.windows import Tiling
from stages.firewall.roles import ROLES
from stages.intake.demo_values import (
    holds_edits,
    is_drawn,
    own_params,
    own_values_line,
    tile_before,
    values_before_demo,
)
from stages.intake.import_prompts import new_prompts
from stages.intake.import_report import names_of_few, report, window_line
from stages.intake.import_source import BASELINE, ImportOptions, Read, read_sheets
from stages.intake.pool_windows import cut_pool
from stages.project.preconditions import DEMO, UNLABELLED, holds_demo, require_repository
from stages.project.repository import dvc, git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.project.yaml_edits import edited
from stages.prompts.texts.prompt_file import PROMPTS
from stages.review.ledger.ledger_files import METRICS as REVIEW_METRICS
from stages.review.ledger.ledger_files import no_review_text
from stages.wording.progress import Say

_IMPORTS = {"dataset-v0", UNLABELLED}  # what an import sets
_REVIEWS = ("data/review", "data/review_val", "data/review_test")  # a person's work on the packets of an import
_TAGS = ("iteration-*", "dataset-v*", UNLABELLED, "holdout-*")
NEXT = "Next: yoloop run"
NEXT_WITHOUT_LABELS = "Next: label val, which everything is measured on: yoloop review open --split val"
# What the import makes, each with a .dvc file beside it.
TRACKED = ("data/dataset", "data/oracle", "models/parent.pt", "models/target.pt")


class Imported(NamedTuple):
    """What to print: the report, and the names of the sheets in splits with few."""

    lines: list[str]
    names: list[str]


class Start(NamedTuple):
    """What iteration 0 starts from, staged: the files that Git keeps, and what is to be said about the weights."""

    files: dict[str, bytes]  # .dvc files and the empty history, by path
    lines: list[str]
    encoder: str | None  # that the target weights want


def import_data(
    root: Path, source: Path, options: ImportOptions, *, again: bool = False, say: Say | None = None
) -> Imported:
    """Make `source` iteration 0 of the project at `root`, tag it dataset-v0, and return what to print.

    Where nobody has labelled anything the tag is `dataset-unlabelled`: iteration 0 starts once val is. The source is
    only read. A demo that lies in the project makes room: its results go, its tags move to `demo/…`. With `again` so
    does an earlier import from which nothing was made. Raises `UserError`, with nothing changed, for a project that has
    begun, for files with uncommitted changes, and for anything in the source that cannot be trained on.
    """
    moved, replaced = _require_fresh(root, again=again)
    read = read_sheets(source, options, say=say)
    new_prompts(root, read.source.classes)  # refused before anything is copied
    own = own_values_line(root)
    if say:
        say(f"copying {sum(map(len, read.assignment.roles.values()))} sheets, and putting them into DVC's cache")
    read_before = {str(path): (root / path).read_bytes() for path in (PARAMS, PROMPTS)}
    with staging(root) as (data, models):
        moved, replaced = _require_fresh(root, again=again)  # still: reading the source took a while
        start = stage_start(root, data, models, read, options)
        prompts, said = new_prompts(root, read.source.classes)
        files: dict[str, bytes | None] = {
            **_old_results(root),
            **start.files,
            str(PARAMS): new_params(
                root,
                read.source.classes,
                options,
                encoder=start.encoder,
                demo_has_run=bool(moved),
                zero_shot=read.bare,
                tile={"tile": options.pool_windows} if options.pool_windows else tile_before(root, replaced.values()),
            ),
            str(PROMPTS): prompts,
        }
        counts = ", ".join(f"{len(read.assignment.roles[role])} {role}" for role in ROLES)
        gone = [name for name in TRACKED if files.get(f"{name}.dvc", b"") is None]
        _require_committed(root)  # still, as copying took a while
        transact(
            root,
            name="yoloop data import",
            commits=[Commit(f"Import {source.resolve().name}: {counts}", files)],
            tags={UNLABELLED if read.bare else "dataset-v0": 0},
            renamed_tags={**moved, **dict.fromkeys(replaced)},
            removes=gone,
            read=read_before,
        )
    lines = report(
        read.source, read.assignment, read.labels, oracle=options.oracle, findings=read.findings, bare=read.bare
    )
    kept = [f"demo: its {len(moved)} tags are now demo/…"] if moved else []
    kept += [f"the import of before is replaced; it stays in the history as {sha[:10]}" for sha in replaced.values()]
    following = [NEXT_WITHOUT_LABELS if read.bare else NEXT]
    return Imported([*lines, *start.lines, *own, *said, *kept, *following], names_of_few(read.assignment))


def stage_start(root: Path, data: Path, models: Path, read: Read, options: ImportOptions) -> Start:
    """Prepare in the staging folders what iteration 0 starts from, and put it into DVC's cache."""
    lines, encoder = write_start(data, models, read, options)
    staged = {name: (data if name.startswith("data/") else models) / Path(name).name for name in TRACKED}
    files = {f"{name}.dvc": stage_dvc(root, place) for name, place in staged.items() if place.exists()}
    carried = {str(file): (data / file.name).read_bytes() for file in (CARRIED, CARRIED_SHEETS)}
    nothing = {str(REVIEW_METRICS): no_review_text().encode(), str(PARENT_OUTCOMES): outcomes_text(None).encode()}
    return Start({**files, **carried, **nothing}, lines, encoder)


def write_start(data: Path, models: Path, read: Read, options: ImportOptions) -> tuple[list[str], str | None]:
    """Write what iteration 0 starts from; return what to say of it, and the text encoder that the target wants.

    The history, without a row yet, is written into `data` as well.
    """
    lines, encoder = _weights(models, options, bare=read.bare)  # first: they may have to be downloaded, and cannot
    sheets = {role: _sheets(read, role, options) for role in ROLES}
    said = []
    if options.pool_windows:
        cut = cut_pool(sheets["pool"], read.labels, _tiling(read, options.pool_windows), data / "windows")
        sheets["pool"] = cut.sheets
        said = [window_line(cut, options.pool_windows)]
    write_dataset(data / "dataset", sheets, read.source.classes)
    if options.oracle:
        write_oracle(data / "oracle", sheets["pool"])
    write_history(empty_history(read.source.classes), data / CARRIED.name)
    write_sheets([], data / CARRIED_SHEETS.name)
    return [*said, *lines], encoder


def _tiling(read: Read, side: int) -> Tiling:
    """Return windows of a side that overlap as those of training do: by the labels of train."""
    names = read.assignment.roles["train"]
    parts = [sides_on(read.items[name].image, read.labels[name].boxes.xywhn) for name in names]
    return Tiling(side, overlap(np.concatenate([np.zeros(0), *parts]), side))


def _require_fresh(root: Path, *, again: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tags of a demo that move, old name to new, and the tags of an import that is replaced, with commits.

    Raises `UserError` for a project that has begun, and with `again` unless all that it has is an import.
    """
    require_repository(root)
    tags = git.run(root, "tag", "-l", *(f"{line}{name}" for line in ("", "*/") for name in _TAGS)).split()
    demo = [tag for tag in tags if holds_demo(root, tag)]
    begun = [tag for tag in tags if tag not in demo]
    if again:
        _require_only_imported(root, begun)
    elif begun and set(begun) <= _IMPORTS:
        raise problem("dataset_import.import_only", "git tags", found=", ".join(begun[:3]))
    elif begun:
        raise problem("dataset_import.project_has_not", "git tags", found=", ".join(begun[:3]))
    _require_unchanged(root)
    return {tag: f"demo/{tag}" for tag in demo if not tag.startswith("demo/")}, {
        tag: git.run(root, "rev-parse", f"refs/tags/{tag}").strip() for tag in begun
    }


def _require_only_imported(root: Path, begun: Sequence[str]) -> None:
    """Raise `UserError` unless the project is an import from which nothing was made, and which nobody reviewed."""
    if not begun:
        raise problem("dataset_import.import_before", "--again")
    others = [tag for tag in begun if tag not in _IMPORTS]
    if others:
        raise problem("dataset_import.project_has_not", "git tags", found=", ".join(others[:3]))
    for folder in _REVIEWS:
        if (root / folder).exists():
            raise problem("dataset_import.labels_by_hand", root / folder)


def _require_committed(root: Path) -> None:
    """Raise `UserError` when Git does not have something that lies where the import writes."""
    written = [
        str(PARAMS),
        "metrics",
        "plots",
        "dvc.lock",
        str(DEMO),
        *(f"{name}.dvc" for name in TRACKED),
    ]
    taken_along = is_drawn(root) or holds_edits(root)
    changed = [path for path in git.changed(root, written) if path != str(PARAMS) or not taken_along]
    if changed:
        raise problem(
            "dataset_import.uncommitted_changes_import",
            changed[0],
            number_of_changed=len(changed),
            value="s" * (len(changed) > 1),
        )


def _require_unchanged(root: Path) -> None:
    """Raise `UserError` when something lies where the import writes that is in neither Git nor DVC."""
    _require_committed(root)
    for name in TRACKED:
        if (root / name).exists() and git.content(root, "HEAD", f"{name}.dvc") is None:
            raise problem("dataset_import.nothing_here_yet", root / name)
    require_unchanged_data(root)


def require_unchanged_data(root: Path) -> None:
    """Raise `UserError` when dataset, oracle or weights hold what DVC has not seen: it would be overwritten."""
    unsaved = dvc.modified(root, *(f"{name}.dvc" for name in TRACKED if (root / name).exists()))
    if unsaved:
        raise problem("dataset_import.dvc_file_says", root / unsaved[0], unsaved=unsaved[0])


def _sheets(read: Read, role: str, options: ImportOptions) -> list[NewSheet]:
    """Return the sheets of one role; what can be unlabelled is a pool that nobody holds back, or all that there is."""
    held_back = options.oracle and role == "pool"
    may_lack = read.bare or (role == "pool" and not held_back)
    return [
        NewSheet(
            read.items[name].image,
            None if may_lack and not read.items[name].label.is_file() else read.labels[name].text,
            held_back,
            read.kinship.groups.get(name, ""),
        )
        for name in read.assignment.roles[role]
    ]


def _weights(models: Path, options: ImportOptions, *, bare: bool) -> tuple[list[str], str | None]:
    """Fetch both weights; return lines about them, and the text encoder that the target wants.

    `bare`: iteration 0 is the target, told the prompts, so the released baseline has no use.
    """
    from stages.detector import weights

    resolve = partial(weights.resolve, seed=options.seed, trusted=options.trust_weights)
    if bare and options.baseline == BASELINE:
        target = resolve(options.target, models / "target.pt", kind="target")
        shutil.copyfile(models / "target.pt", models / "parent.pt")
        return [target.line, "baseline: none is needed; iteration 0 is the target, told the prompts"], target.encoder
    baseline = resolve(options.baseline, models / "parent.pt", kind="baseline")
    target = resolve(options.target, models / "target.pt", kind="target")
    return [baseline.line, target.line], target.encoder


def _old_results(root: Path) -> dict[str, bytes | None]:
    """Return what an earlier attempt left in Git and iteration 0 must not start with, each to be deleted."""
    pointers = (f"{name}.dvc" for name in TRACKED)
    listed = git.run(root, "ls-files", "-z", "--", "dvc.lock", "metrics", "plots", str(DEMO), *pointers)
    return {path: None for path in listed.split("\0") if path and not Path(path).name.startswith(".git")}


def new_params(
    root: Path,
    classes: tuple[str, ...],
    options: ImportOptions,
    *,
    encoder: str | None,
    demo_has_run: bool,
    zero_shot: bool = False,
    tile: Mapping[str, int | None] = {},
) -> bytes:
    """Return params.yaml with the source's classes, at iteration 0, without the demo's values.

    A person's values are taken as they lie there, committed or not.
    `encoder` is the one that the target weights want. `--keep-params` leaves all but classes and iteration alone, and
    with `zero_shot` train.baseline: without labels there is no other. `tile` holds that of a pool that was cut into
    windows: symbols on these and on whole sheets must look equally large to the network.
    """
    values: dict[str, Any] = {"iteration": 0, "classes": list(classes)}
    if zero_shot:
        values["train.baseline"] = "zero-shot"
    if options.keep_params:
        return edited((root / PARAMS).read_text(encoding="utf-8-sig"), values).encode()
    fitting = {**({"train.encoder": encoder} if encoder else {}), **tile}
    before = values_before_demo(root, has_run=demo_has_run)
    return edited(own_params(root), {**before, **values, **fitting}).encode()
