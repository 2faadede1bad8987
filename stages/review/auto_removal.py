"""`yoloop review drop-auto`: takes out of train what `--auto` labelled and nobody looked at."""

from collections.abc import Collection
from pathlib import Path

from stages.base.errors import problem
from stages.base.params import PARAMS, read_iteration
from stages.dataset.sheets.manifest import ACCEPT, MANIFEST, RESTORE, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import DATASET, read_split
from stages.project.preconditions import is_finished, iteration_tag, require_repository
from stages.project.repository import dvc, git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.review.kept.dataset_merge import copy_without, link_or_copy
from stages.wording.quantities import counted, some

_POINTER = f"{DATASET}.dvc"


def drop_auto(root: Path) -> str:
    """Move the sheets of train that are labelled `auto` back to the pool, without labels; return what to print.

    A sheet that had labels of its own before `--auto` kept those and their source, and stays. So does a sheet whose
    labels somebody has corrected since (`yoloop data accept`). metrics/review_sheets.csv stays as it is: its rows say
    `auto` and count nowhere as reviewed. Raises `UserError`, with nothing changed, for a finished iteration, and for a
    dataset that differs from what is committed.
    """
    require_repository(root)
    with staging(root) as (data, _):
        dataset = root / DATASET
        rows = read_manifest(dataset / "train" / MANIFEST)
        names = [row.image_id for row in rows if row.label_source == "auto"]
        if not names:
            return "Nothing to drop: no sheet in train has labels that --auto made."
        iteration = read_iteration(root / PARAMS)
        _require_open(root, iteration)
        _require_committed(root)
        take_back(dataset, data / "dataset", names, iteration=iteration)
        left = len(read_manifest(data / "dataset/pool" / MANIFEST))
        files = {_POINTER: stage_dvc(root, data / "dataset")}
        commit = Commit(f"Take {counted(len(names), 'sheet')} that --auto labelled out of train", files)
        transact(root, name="yoloop review drop-auto", commits=[commit], tags={})
    return (
        f"{counted(len(names), 'sheet')} moved from train back to the pool, without labels: {some(names)}. "
        f"Train has {len(rows) - len(names)}, the pool {left}.\n"
        "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`."
    )


def take_back(dataset: Path, target: Path, names: Collection[str], *, iteration: int) -> None:
    """Write to `target` the dataset with the sheets `names` (image_id) of train back in the pool for `iteration`.

    Images and groups stay as they are, labels go. Raises `UserError` when train or pool is not as its list says.
    """
    read_split("pool", dataset)
    moved = [sheet for sheet in read_split("train", dataset) if sheet.image_id in names]
    copy_without(dataset, target, moved)
    images = target / "pool/images"
    images.mkdir(parents=True, exist_ok=True)
    train = {row.image_id: row for row in read_manifest(dataset / "train" / MANIFEST)}
    back = []
    for sheet in moved:
        link_or_copy(str(sheet.image), str(images / sheet.image.name))
        unlabelled = target / "pool/labels" / sheet.label.name
        row = manifest_row(images / sheet.image.name, unlabelled, added_iteration=iteration, label_source="none")
        back.append(row._replace(group=train.pop(sheet.image_id).group))
    write_manifest(train.values(), target / "train" / MANIFEST)
    write_manifest([*read_manifest(dataset / "pool" / MANIFEST), *back], target / "pool" / MANIFEST)


def _require_open(root: Path, iteration: int) -> None:
    """Raise `UserError` when the iteration is finished: its packet and results belong to the dataset as it is."""
    if is_finished(root, iteration):
        raise problem(
            "auto_removal.not_finished_whose", f"iteration {iteration}", iteration_tag=iteration_tag(root, iteration)
        )


def _require_committed(root: Path) -> None:
    """Raise `UserError` when a person changed the dataset: this command makes no such change official."""
    if git.changed(root, [_POINTER]) or dvc.modified(root, _POINTER):
        raise problem("auto_removal.dataset_was_committed", root / DATASET, restore=RESTORE, accept=ACCEPT)
