"""Counts what a dataset loses of its boxes while it is read, and what is left of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stages.dataset.defects import Defect, errors, finding
from stages.formats.bare_folder import is_bare
from stages.formats.source_sheets import Dataset, LostBoxes
from stages.intake.contract.contract import Checked

_MUCH = 0.1  # of the boxes of a class or a split
_FEW = 5  # boxes below which some that stick out say nothing about the others
_RARELY = 0.2  # of the labelled sheets of a split: where fewer have no box, one may have lost its own
_SOME_SHEETS = 5  # of a split, below which one without a box is no exception
_LEFT_OUT = "under-a-pixel"  # a row that is taken away by a warning; what is an error refuses the dataset anyway


def lost_findings(dataset: Dataset, checked: Sequence[Checked], *, own: bool = False) -> list[Defect]:
    """Return an error where no box is left or most stick out, and a warning for each class or split that lost many.

    A sheet without a box among sheets that have some is a note: on val a forgotten label makes all that is found false.
    The project's `own` dataset may wait for its first boxes.
    """
    lost = [*dataset.lost, *_lost_rows(checked, dataset.source.classes)]
    folder = dataset.source.folder
    kept = Counter(one.sheet.split for one in checked for _ in one.placed.rows)
    named = Counter(dataset.source.classes[row.class_id] for one in checked for row in one.placed.rows)
    gone = [one for one in lost if one.boxes]
    if gone and not kept:
        total, rules = sum(one.boxes for one in gone), _rules(gone)
        return [finding("error", "lost_boxes.nothing-left", folder, total=total, rules=rules)]
    wrong = errors([*dataset.findings, *(found for one in checked for found in one.findings)])
    if not kept and not own and not wrong and not is_bare(dataset):
        return [_none_read(folder, checked)]
    found = [*_sticking_out(checked), *_rarely_empty(checked)]
    for split in dict.fromkeys(one.split for one in gone):
        here = [one for one in gone if one.split == split]
        found += _much(folder, f"the split {split}", here, kept[split])
    for name in dict.fromkeys(one.class_name for one in gone if one.class_name):
        here = [one for one in gone if one.class_name == name]
        found += _much(folder, f"the class {name}", here, named[name])
    return found


def _none_read(folder: Path, checked: Sequence[Checked]) -> Defect:
    """Return the error for labels without a single box: where none is found for a sheet, they lie elsewhere."""
    items = sorted(one.sheet.item for one in checked if not one.sheet.item.label.is_file())
    where = [f"; the label file of {image.name}, which is not there, would be {label}" for image, label in items[:1]]
    return finding("error", "lost_boxes.nothing-read", folder, sheets=len(checked), where="".join(where))


def _rarely_empty(checked: Sequence[Checked]) -> Iterator[Defect]:
    for split in dict.fromkeys(one.sheet.split for one in checked):
        here = [one for one in checked if one.sheet.split == split and one.sheet.item.label.is_file()]
        empty = [one.sheet.item.image for one in here if not one.placed.rows]
        if len(here) >= _SOME_SHEETS and len(empty) < _RARELY * len(here):
            for image in empty:
                others = len(here) - len(empty)
                yield finding("note", "lost_boxes.empty-sheet", image, others=others, split=split)


def _much(folder: Path, what: str, lost: Sequence[LostBoxes], kept: int) -> list[Defect]:
    count = sum(one.boxes for one in lost)
    if count <= _MUCH * (kept + count):
        return []
    total, rules = kept + count, _rules(lost)
    return [finding("warning", "lost_boxes.boxes-lost", folder, what=what, count=count, total=total, rules=rules)]


def _rules(lost: Sequence[LostBoxes]) -> str:
    counts: Counter[str] = Counter()
    for one in lost:
        counts[one.code] += one.boxes
    return ", ".join(f"{code} {count}" for code, count in counts.most_common())


def _lost_rows(checked: Sequence[Checked], classes: Sequence[str]) -> Iterator[LostBoxes]:
    for one in checked:
        names = {row.line: classes[row.class_id] for row in one.sheet.rows}
        for found in one.placed.findings:
            if found.code == _LEFT_OUT and found.line is not None:
                yield LostBoxes(one.sheet.split, names[found.line], found.code, 1)


def _sticking_out(checked: Sequence[Checked]) -> Iterator[Defect]:
    """Yield an error for each split of whose boxes most stick out: they are of another size, or corners."""
    for split in dict.fromkeys(one.sheet.split for one in checked):
        here = [one for one in checked if one.sheet.split == split]
        out = [found for one in here for found in one.placed.findings if found.code == "sticks-out"]
        rows = sum(len(one.sheet.rows) for one in here)
        if rows >= _FEW and 2 * len(out) > rows:
            first = out[0].file, out[0].line
            yield finding("error", "lost_boxes.most-stick-out", *first, count=len(out), total=rows, split=split)
