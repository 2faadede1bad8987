"""What the iteration before found on val and this one misses, and the other way round: box by box, part by part.

A part (all of val, a class, a size, a group) has lost when the 95 % interval of its change lies wholly below 0, and
still does after Holm's correction: the more parts are looked at, the surer one has to be (the surest of m parts has to
keep to 0.05 / m, the next one to 0.05 / (m - 1), and so on), so that in 40 iterations without any change about one
speaks of a loss, however many parts there are. Parts with fewer than `FEW_BOXES` boxes are not judged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.convergence.gains import Gain
from stages.ruler.scores.intervals import PairedChange, paired_change, units_of
from stages.ruler.sizes import SIZES
from stages.ruler.val_notes import FEW_BOXES

STAYED = "stayed"  # name of the part `all` where other classes came or went
_ONE_SIDED = 0.025  # below the 95 % interval lies half of the other 5 %
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class SheetOutcome(NamedTuple):
    """What a model found on one sheet of val at its operating confidence."""

    found: tuple[int, ...]  # object_id of the boxes that were found, rising
    alarms: tuple[int, ...]  # false alarms per class, in the order of the classes


class PoolBox(NamedTuple):
    """A box that a model drew on a sheet of the pool; pixels of the original image."""

    class_id: int
    confidence: float
    x1: float
    y1: float
    x2: float
    y2: float


class KeptOutcomes(NamedTuple):
    """What an iteration found on val, and drew on the pool, as it crosses the boundary to the next one."""

    iteration: int
    ruler: str  # id; what another one measured is compared with nothing
    sheets: Mapping[str, SheetOutcome]  # image_id -> its outcome
    pool: Mapping[str, Sequence[PoolBox]] = {}  # image_id -> boxes from the operating confidence on, the surest first
    # class_ids that are compared, where the classes have changed since: those that mean what they meant; None: all
    classes: tuple[int, ...] | None = None


class LabelledVal(NamedTuple):
    """The labels of val: `sheets` has image_id and group, `boxes` image_id, object_id, class_name and size."""

    sheets: pd.DataFrame
    boxes: pd.DataFrame
    classes: Sequence[str]


class PartChange(NamedTuple):
    """How a part of val fared since the iteration before."""

    part: str  # `all`, `class`, `size`, `group`
    name: str  # which class, size or group; of `all` it is `all`, or `stayed`: the classes that stayed alone
    rate: str  # what is compared: `f1`; of a size `recall`, since a false alarm has no true size
    boxes: int
    lost: int  # boxes that the iteration before found and this one misses
    won: int  # boxes that it missed and this one finds
    lost_sheets: int  # sheets with a box that was lost
    alarms: int | None  # false alarms now minus then; None for a size
    before: float | None  # the rate then
    now: float | None  # and now
    change: float | None  # `now` - `before`
    change_low: float | None
    change_high: float | None
    # whether it lost more than chance explains, looking at so many parts; None: too few boxes, or undefined
    significant: bool | None


class _Part(NamedTuple):
    """A part of val: its boxes, (boxes,), the classes whose false alarms it has, and on which sheets, (sheets,)."""

    kind: str
    name: str
    boxes: Bools
    classes: list[int]
    sheets: Bools


class _Seen(NamedTuple):
    """What a model did: whether it found each box, (boxes,), and its false alarms, (sheets, classes)."""

    found: Bools
    alarms: Ints


class Regression(NamedTuple):
    """What was lost and won since the iteration before."""

    since: int | None  # the iteration before; None where nothing is compared
    note: str  # why nothing is compared, or ""
    parts: Sequence[PartChange] = ()
    # sheets on which a box was lost or won: image_id, group, and the boxes as {object_id, class_name, size}
    sheets: Sequence[Mapping[str, Any]] = ()

    def total(self, field: str) -> int | None:
        """Return the number `field` over all of val, None where nothing is compared."""
        return next((getattr(one, field) for one in self.parts if one.part == "all"), None)


def regression_since(before: KeptOutcomes | None, now: KeptOutcomes, val: LabelledVal, gain: Gain | None) -> Regression:
    """Return what was lost and won since `before`, or why nothing is compared.

    `gain` is that of F1 since the iteration before, which says how its ruler differs; None for the first iteration.
    """
    if gain is None:
        return Regression(None, "")
    if before is None:
        why = f"what iteration {gain.since} found was not kept"
    elif before.ruler != now.ruler:
        how = f" ({gain.other_ruler})" if gain.other_ruler else ""
        why = f"iteration {before.iteration} was measured by another ruler{how}"
    elif list(before.sheets) != list(now.sheets):
        why = f"other sheets were kept of iteration {before.iteration}"
    else:
        return compare(now, before, val)
    return Regression(None, f"nothing is compared box by box: {why}")


def compare(now: KeptOutcomes, before: KeptOutcomes, val: LabelledVal) -> Regression:
    """Return what was lost and won from `before` to `now`, both measured by one ruler on the labels `val`.

    Both have the sheets of `val`. Where the classes have changed in between, those that stayed are compared alone.
    """
    whole = "all"
    if before.classes is not None:
        kept, whole = before.classes, STAYED
        now, before, val = _narrowed(now, kept), _narrowed(before, kept), _of(val, kept)
    places = {name: i for i, name in enumerate(val.sheets["image_id"])}
    sheet = val.boxes["image_id"].map(places).to_numpy(dtype=np.int64)
    groups, seen, past = val.sheets["group"].tolist(), _seen(now, val, sheet), _seen(before, val, sheet)
    changes = [_changed(part, seen, past, sheet, groups) for part in _parts(val, sheet, whole)]
    return Regression(before.iteration, "", _judged(changes), _changed_sheets(val, seen.found, past.found))


def _narrowed(outcomes: KeptOutcomes, classes: Sequence[int]) -> KeptOutcomes:
    """Return outcomes with the false alarms of `classes` (class_ids) alone, in their order."""
    sheets = {
        name: one._replace(alarms=tuple(one.alarms[class_id] for class_id in classes))
        for name, one in outcomes.sheets.items()
    }
    return outcomes._replace(sheets=sheets)


def _of(val: LabelledVal, classes: Sequence[int]) -> LabelledVal:
    """Return the labels of `classes` (class_ids) alone."""
    names = [val.classes[class_id] for class_id in classes]
    boxes = val.boxes[val.boxes["class_name"].isin(names)].reset_index(drop=True)
    return LabelledVal(val.sheets, boxes, names)


def _changed(
    part: _Part, now: _Seen, before: _Seen, sheet: Ints, groups: Sequence[str]
) -> tuple[PartChange, PairedChange]:
    """Return how a part fared, not judged yet, and its change in full."""
    rate = "recall" if part.kind == "size" else "f1"
    sums, past = (_sums(rate, part, one, sheet) for one in (now, before))
    # inside a group chance draws sheets
    change = paired_change(sums, past, np.arange(len(groups)) if part.kind == "group" else units_of(groups))
    lost = part.boxes & before.found & ~now.found
    alarms = [int(one.alarms[part.sheets][:, part.classes].sum()) for one in (now, before)]
    row = PartChange(
        part=part.kind,
        name=part.name,
        rate=rate,
        boxes=int(part.boxes.sum()),
        lost=int(lost.sum()),
        won=int((part.boxes & now.found & ~before.found).sum()),
        lost_sheets=len(np.unique(sheet[lost])),
        alarms=None if part.kind == "size" else alarms[0] - alarms[1],
        before=_ratio(past),
        now=_ratio(sums),
        change=change.value,
        change_low=change.low,
        change_high=change.high,
        significant=None,
    )
    return row, change


def _parts(val: LabelledVal, sheet: Ints, whole: str) -> list[_Part]:
    every, everywhere = list(range(len(val.classes))), np.ones(len(val.sheets), dtype=bool)
    group = val.sheets["group"].to_numpy()
    class_name, size = val.boxes["class_name"].to_numpy(), val.boxes["size"].to_numpy()
    return [
        _Part("all", whole, np.ones(len(sheet), dtype=bool), every, everywhere),
        *(_Part("class", name, class_name == name, [i], everywhere) for i, name in enumerate(val.classes)),
        *(_Part("size", name, size == name, [], everywhere) for name in SIZES if (size == name).any()),
        *(_Part("group", str(one), group[sheet] == one, every, group == one) for one in sorted(set(group) - {""})),
    ]


def _seen(outcomes: KeptOutcomes, val: LabelledVal, sheet: Ints) -> _Seen:
    sheets = [outcomes.sheets[name] for name in val.sheets["image_id"]]
    sets = [set(one.found) for one in sheets]
    found = [int(number) in sets[place] for number, place in zip(val.boxes["object_id"], sheet, strict=True)]
    alarms = np.array([one.alarms for one in sheets], dtype=np.int64).reshape(len(sheets), len(val.classes))
    return _Seen(np.array(found, dtype=bool), alarms)


def _sums(rate: str, part: _Part, seen: _Seen, sheet: Ints) -> Ints:
    """Return per sheet what the rate sums above and below, (sheets, 2)."""
    hits, boxes = (np.bincount(sheet[one], minlength=len(part.sheets)) for one in (part.boxes & seen.found, part.boxes))
    if rate == "recall":
        return np.stack([hits, boxes], axis=1)
    alarms = np.where(part.sheets, seen.alarms[:, part.classes].sum(axis=1), 0)
    return np.stack([2 * hits, hits + alarms + boxes], axis=1)  # 2 tp, and 2 tp + fp + fn


def _ratio(sums: Ints) -> float | None:
    above, below = (int(one) for one in sums.sum(axis=0))
    return above / below if below else None


def _judged(parts: Sequence[tuple[PartChange, PairedChange]]) -> list[PartChange]:
    """Return the parts with Holm's judgement: from the smallest chance on, until one is too large."""
    known = [i for i, (part, change) in enumerate(parts) if part.boxes >= FEW_BOXES and change.chance is not None]
    order = sorted(known, key=lambda i: parts[i][1].chance or 0.0)
    lost: set[int] = set()
    for place, i in enumerate(order):
        if (parts[i][1].chance or 0.0) >= _ONE_SIDED / (len(known) - place):
            break
        lost.add(i)
    judged = set(known)
    return [one._replace(significant=i in lost if i in judged else None) for i, (one, _) in enumerate(parts)]


def _changed_sheets(val: LabelledVal, found: Bools, was_found: Bools) -> list[dict[str, Any]]:
    """Return the sheets with a box that was lost or won, those that lost most first."""
    changed = val.boxes.assign(kind=np.where(was_found, "lost", "won"))[found != was_found]
    group = dict(zip(val.sheets["image_id"], val.sheets["group"], strict=True))
    sheets: dict[str, dict[str, Any]] = {}
    for row in changed.to_dict("records"):
        name = str(row["image_id"])
        sheet = sheets.setdefault(name, {"image_id": name, "group": group[name], "lost": [], "won": []})
        box = {"object_id": int(row["object_id"]), "class_name": row["class_name"], "size": row["size"]}
        sheet[row["kind"]].append(box)
    return sorted(sheets.values(), key=lambda one: (len(one["won"]) - len(one["lost"]), one["image_id"]))
