"""Takes the labels of val or test into the dataset, once all of its sheets have some: one commit, one step."""

from pathlib import Path

from stages.base.errors import problem
from stages.base.params import PARAMS, read_iteration
from stages.dataset.sheets.manifest import ACCEPT, MANIFEST, RESTORE, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import DATASET, read_split
from stages.picking.packet import Packet
from stages.project.lines_of_work import prefix, read_lines
from stages.project.preconditions import dataset_tag, is_finished, iteration_tag
from stages.project.project_lock import exclusive
from stages.project.repository import dvc, git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.review.kept.dataset_merge import copy_without, reviewed_text
from stages.review.kept.kept_review import Review, read_review, review_folder
from stages.review.kept.review_gate import require_of_packet, still_open
from stages.review.kept.review_lock import reviewing
from stages.wording.quantities import counted, some

_POINTER = f"{DATASET}.dvc"


def take_labels(root: Path, packet: Packet) -> str:
    """Make the labels of `packet`, a split that was labelled, part of the dataset, and tag it; return what to print.

    Raises `UserError`, with nothing changed, unless every sheet is done: who might leave out the hard ones would
    measure on easy ones. So it does for val of a finished iteration, and for a dataset that is not as committed.
    """
    with exclusive(root), reviewing(root):
        folder = review_folder(root, packet)
        review = read_review(folder)
        require_of_packet(root, review, packet)
        rest = still_open(review, packet)
        if rest:
            raise problem(
                "split_labels.every_sheet",
                folder,
                split=packet.split,
                sheets=len(packet.sheets),
                rest=len(rest),
                some=some(rest),
            )
        iteration = read_iteration(root / PARAMS)
        _require_open(root, packet.split, iteration)
        tag = _tag(root, packet.split, iteration)
        with staging(root) as (data, _):
            label_sheets(root / DATASET, data / "dataset", packet, review)
            commit = Commit(_message(packet, review), {_POINTER: stage_dvc(root, data / "dataset")})
            gone = [str(path.relative_to(root)) for path in (folder, packet.folder)]
            tags = {} if git.resolve(root, f"refs/tags/{tag}") else {tag: 0}
            transact(root, name=f"yoloop review --split {packet.split}", commits=[commit], tags=tags, removes=gone)
        return "\n".join(_said(packet, review, tag if tags else ""))


def label_sheets(dataset: Path, target: Path, packet: Packet, review: Review) -> None:
    """Write to `target` the dataset with the labels of `review` on the sheets of `packet`; nothing else differs.

    Raises `UserError` when the split is not as its list says, or a sheet of the packet is not in it.
    """
    sheets = {sheet.image_id: sheet for sheet in read_split(packet.split, dataset)}
    sizes = {sheet.image_id: sheet for sheet in packet.sheets}
    copy_without(dataset, target, [])
    labels = target / packet.split / "labels"
    labels.mkdir(parents=True, exist_ok=True)
    rows = {row.image_id: row for row in read_manifest(dataset / packet.split / MANIFEST)}
    for done in review.reviewed:
        sheet, row = sheets[done.image_id], rows[done.image_id]
        label = labels / sheet.label.name
        label.write_text(reviewed_text(done, sizes[done.image_id], packet.classes), encoding="utf-8")
        rows[done.image_id] = manifest_row(
            sheet.image,
            label,
            added_iteration=row.added_iteration,
            label_source="person",
            group=row.group,
            image_sha256=row.image_sha256,
        )
    write_manifest(rows.values(), target / packet.split / MANIFEST)


def _require_open(root: Path, split: str, iteration: int) -> None:
    """Raise `UserError` when labels of val would make a finished iteration stale, or the dataset is not as committed.

    No stage reads test, so its labels may come at any time.
    """
    if split == "val" and is_finished(root, iteration):
        tag = iteration_tag(root, iteration)
        raise problem("split_labels.not_finished", f"iteration {iteration}", iteration_tag=tag)
    if git.changed(root, [_POINTER]) or dvc.modified(root, _POINTER):
        raise problem("split_labels.dataset_was_committed", root / DATASET, restore=RESTORE, accept=ACCEPT)


def _tag(root: Path, split: str, iteration: int) -> str:
    """Return the tag of the commit: where iteration 0 starts, for val."""
    return dataset_tag(root, iteration) if split == "val" else f"{prefix(read_lines(root), iteration)}dataset-test"


def _message(packet: Packet, review: Review) -> str:
    boxes = sum(len(sheet.boxes) for sheet in review.reviewed)
    return f"Label {packet.split}: {counted(len(packet.sheets), 'sheet')}, {counted(boxes, 'box')}, by {review.tools}"


def _said(packet: Packet, review: Review, tag: str) -> list[str]:
    boxes = [box.class_name for sheet in review.reviewed for box in sheet.boxes]
    timed = [sheet.seconds for sheet in review.reviewed if sheet.seconds is not None]
    spent = f", in {sum(timed) / 60:.1f} minutes" if timed else ""
    tagged = f" Tag {tag}." if tag else ""
    what = f"{counted(len(packet.sheets), 'sheet')}, {counted(len(boxes), 'box')}"
    lines = [f"{packet.split} is labelled: {what}{spent}.{tagged}"]
    absent = [name for name in packet.classes if name not in boxes]
    if absent:
        lines.append(f"{packet.split} holds no box of {some(absent)}: nothing can be said of that.")
    return [*lines, "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`."] if packet.split == "val" else lines
