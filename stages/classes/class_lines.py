"""Says what a change of the classes did: how many boxes and sheets, which weights went where, what is to be done."""

from collections.abc import Mapping, Sequence

from stages.classes.class_change import ClassChange
from stages.classes.dataset_migration import ORACLE, SheetBoxes
from stages.wording.quantities import counted, some


def change_lines(
    change: ClassChange, sheets: Sequence[SheetBoxes], rows: Mapping[str, str | None], *, weights: str, tag: str
) -> list[str]:
    """Return the lines; `rows` are those of `row_sources`, `weights` is how they were moved (`Moved`)."""
    ids = ", ".join(f"{number} {name}" for number, name in enumerate(change.new))
    return [
        f"{change.what}: the classes are {ids} now. Tag {tag}.",
        *_box_lines(change, sheets),
        *_doubled_lines(sheets),
        _weight_line(change, rows, weights),
        *_text_lines(change),
        _history_line(change),
        *_review_lines(change, sheets, tag),
        "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`.",
    ]


def _box_lines(change: ClassChange, sheets: Sequence[SheetBoxes]) -> list[str]:
    """Return per split how many boxes got another class, and that none was lost."""
    moved = {old for old, new in change.becomes.items() if old != new}
    lines = []
    for split in dict.fromkeys(sheet.split for sheet in sheets):
        own = [sheet for sheet in sheets if sheet.split == split]
        counts = [sum(count for name, count in sheet.boxes.items() if name in moved) for sheet in own]
        boxes = sum(sum(sheet.boxes.values()) for sheet in own)
        changed = f"{counted(sum(counts), 'box')} on {counted(sum(map(bool, counts)), 'sheet')} renamed"
        lines.append(f"{_place(split)}: {changed if any(counts) else 'no box renamed'}; {boxes} before and after")
    return lines


def _doubled_lines(sheets: Sequence[SheetBoxes]) -> list[str]:
    doubled = [sheet for sheet in sheets if sheet.doubled]
    if not doubled:
        return []
    count = counted(sum(sheet.doubled for sheet in doubled), "box")
    names = some([sheet.name for sheet in doubled])
    return [f"{count} now exactly on another one of the same class, and left there: look at {names}"]


def _weight_line(change: ClassChange, rows: Mapping[str, str | None], weights: str) -> str:
    if weights == "none":
        return (
            "Weights: models/parent.pt knows other classes, so it stays as it is; iteration 0 trains all classes anew."
        )
    if weights == "texts":
        return "Weights: all stay; the head is told texts, and each class that stayed keeps its own."
    taken = [f"{name} from {old}" for name, old in rows.items() if old is not None and old != name]
    fresh = [name for name, old in rows.items() if old is None]
    merged = any(len(of) > 1 for of in change.sources.values())
    said = (
        [f"rows of the class branch: {', '.join(taken)}{' (most boxes in train)' if merged else ''}"] if taken else []
    )
    said += [f"a fresh row for {', '.join(fresh)}"] if fresh else []
    return f"Weights: {'; '.join([*said, 'every other class keeps its row'])}."


def _text_lines(change: ClassChange) -> list[str]:
    """Return the texts of the classes that are new or called otherwise."""
    new = {name: texts for name, texts in change.prompts.items() if name not in change.old}
    merged = {name: change.prompts[name] for name, of in change.sources.items() if len(of) > 1}
    told = [f"{name}: {' | '.join(texts)}" for name, texts in {**new, **merged}.items()]
    return [f"Prompts (data/prompts.yaml): {'; '.join(told)}"] if told else []


def _history_line(change: ClassChange) -> str:
    if change.is_renaming:
        return "History: every number stays, under the new name, and is compared as before."
    stayed = ", ".join(change.same.values()) or "none"
    return (
        "History: F1 over all classes of iterations before is not compared with that of later ones; "
        f"numbers per class go on for those that stayed ({stayed})."
    )


def _review_lines(change: ClassChange, sheets: Sequence[SheetBoxes], tag: str) -> list[str]:
    """Return which sheets hold boxes of which a person has to tell what they are."""
    if not change.doubtful:
        return []
    others = [name for name in change.new if change.sources.get(name) and name not in change.becomes.values()]
    first = ", ".join(change.doubtful)
    lines = [f"To look at: until somebody does, every box counts as {first}, also where it is {' or '.join(others)}:"]
    held = doubtful_sheets(change, sheets)
    for split in dict.fromkeys(sheet.split for sheet, _ in held):
        own = [(sheet.name, boxes) for sheet, boxes in held if sheet.split == split]
        boxes, names = sum(count for _, count in own), some([name for name, _ in own])
        lines.append(f"  {_place(split)}: {counted(boxes, 'box')} on {counted(len(own), 'sheet')}: {names}")
    return [
        *lines,
        f"  All of them: git show -s --format=%b {tag}",
        "  No packet brings them by itself: correct the labels in data/dataset, then `yoloop data accept`; "
        "val first, since it is what F1 is measured on.",
    ]


def doubtful_sheets(change: ClassChange, sheets: Sequence[SheetBoxes]) -> list[tuple[SheetBoxes, int]]:
    """Return the sheets with boxes of which a person has to tell what they are, and how many each has."""
    doubtful = {old for old, new in change.becomes.items() if new in change.doubtful}
    counts = [(sheet, sum(sheet.boxes.get(name, 0) for name in doubtful)) for sheet in sheets]
    return [(sheet, boxes) for sheet, boxes in counts if boxes]


def commit_message(change: ClassChange, sheets: Sequence[SheetBoxes], tag: str) -> str:
    """Return the message of the commit: the change, and all sheets that a person has to look at, with their boxes."""
    listed = [f"{sheet.split} {sheet.name} {boxes}" for sheet, boxes in doubtful_sheets(change, sheets)]
    body = "".join(["\n\nTo look at (split, sheet, boxes):\n", "\n".join(listed)]) if listed else ""
    return f"{change.what} ({tag}){body}"


def _place(split: str) -> str:
    return "held-back labels" if split == ORACLE else split
