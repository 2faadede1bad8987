"""Label or model? Weighs for every miss and every false alarm which of the two is wrong, and says why.

A network that saw many good labels is evidence against a single bad one, as far as it is sure and usually right. Every
explanation that blames the label is a product of a few parts in [0, 1] (standard.py says what is usual):

missing_box   the detection is sure, its place free of labels, its size and shape are usual
wrong_class   a detection of another class on the label is sure, and the label's own class denied
badly_placed  a detection of the class beside the label, or around it, is sure, and the label itself denied; or one
              that found it is sure and fits much worse than usual
duplicate     two labels lie on one place
stray         nothing at all was proposed on the label, and its size or shape is odd

The most suspicious explanation stands. What none explains is the model's mistake.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.analysis.standard import Standard, standards
from stages.base.boxes import BOX, iou_matrix
from stages.ruler.matching.matching import SHEET
from stages.ruler.pairing.pairs import Floats

LABEL, UNCLEAR = 0.5, 0.25  # suspicion from which the label is blamed, and from which nobody can say
# F1 on val from which a model is evidence against a label. Of the first 20 suspects of models that were stopped early,
# duplicates aside, so many were planted errors, 10 seeds (`python -m benchmarks.triage`): 0.25 to 0.40 at F1 0.03 to
# 0.28, on callouts and circuits; on circuits 0.53 at 0.54, 0.73 at 0.70 and 0.81 at 0.83. The bar is the tenth from
# which on half of them are.
TRUSTED_F1 = 0.5
TOUCHING = 0.1  # IoU from which a detection may be meant for a label that it missed
SAME_PLACE = (0.45, 0.75)  # IoU of two labels: below the first they are two objects, above the second one
NEARLY = 0.1  # IoU under the one that finds an object, in which the model is as likely to be the one that is off
FITS_ENOUGH = 0.5  # of the suspicion, for a label that a detection did find
KEY = [*SHEET, "object_id", "detection_id"]


class Explanation(NamedTuple):
    """What may be wrong at one place; `label` and `detection` are rows of the sheet's tables, or None."""

    kind: str
    score: float  # in [0, 1]: how strongly it blames the label
    label: int | None
    detection: int | None
    other: int | None = None  # class that the model says, or the label that lies on the same place has


class LabelledSheet(NamedTuple):
    """One labelled sheet: its labels (n), its detections (m), and how they lie on each other."""

    key: tuple[str, str]
    object_id: NDArray[np.int32]  # (n,)
    label_class: NDArray[np.int32]
    labels: Floats  # (n, 4)
    missed: NDArray[np.bool_]
    detection_id: NDArray[np.int32]  # (m,)
    seen_class: NDArray[np.int32]
    confidence: Floats
    seen: Floats  # (m, 4)
    finds: NDArray[np.int64]  # row of the label that it found, -1 for none
    counts: NDArray[np.bool_]  # it is sure enough to be judged
    threshold: float
    on: Floats  # (n, m) IoU

    @property
    def false(self) -> NDArray[np.bool_]:
        """Which detections are false alarms, (m,)."""
        return self.counts & (self.finds < 0)


def triage(
    *,
    images: pd.DataFrame,
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    matches: pd.DataFrame,
    iou: float,
    trusted: bool,
) -> pd.DataFrame:
    """Return a row per miss and false alarm (a pair that explains each other is one), and per suspect found label.

    The columns are those of the schema SUSPECTS; `iou` is from where a detection has found an object. `images` says
    with which confidence each sheet is judged. A model that is not `trusted` is no evidence against a label: then only
    labels that lie on each other are suspect.
    """
    rows: list[dict[str, Any]] = []
    usual = standards(images=images, ground_truth=ground_truth, matches=matches)
    for place in _places(images=images, ground_truth=ground_truth, detections=detections, matches=matches):
        standard = usual[place.key[0]]
        rows += [_row(place, one, standard) for one in explain(place, standard, iou=iou, trusted=trusted)]
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [*KEY, "class_id", "judgement", "kind", "other_class_id", "confidence", "sure", "right", "iou", "score"]


def is_trusted(matches: pd.DataFrame) -> bool:
    """Say whether F1 on val is TRUSTED_F1 or more, by the outcomes of `matches`."""
    counts = matches.loc[matches["split"] == "val", "outcome"].value_counts()
    tp, wrong = counts.get("tp", 0), counts.get("fp", 0) + counts.get("fn", 0)
    return bool(2 * tp >= TRUSTED_F1 * (2 * tp + wrong) and tp)


def explain(place: LabelledSheet, standard: Standard, *, iou: float, trusted: bool) -> list[Explanation]:
    """Return the strongest explanation of each miss and false alarm, and of each found label that is suspect."""
    used: set[int] = set()
    told: list[Explanation] = []
    twins = _twins(place)
    for label in np.flatnonzero(place.missed):
        best = _strongest(_of_a_miss(place, standard, int(label), twins, iou), trusted=trusted)
        if best.score < UNCLEAR:
            best = Explanation("missed", best.score, int(label), None)
        elif best.detection is not None:
            used.add(best.detection)
        told.append(best)
    for label in np.flatnonzero(~place.missed):
        best = _strongest(_of_a_find(place, standard, int(label), twins), trusted=trusted)
        if best.score >= UNCLEAR:
            told.append(best)
    alarms = [int(one) for one in np.flatnonzero(place.false) if int(one) not in used]
    if not trusted:
        return told + [Explanation("false_alarm", 0.0, None, one) for one in alarms]
    return told + [_of_an_alarm(place, standard, one) for one in alarms]


def _strongest(told: Iterator[Explanation], *, trusted: bool) -> Explanation:
    """Return the explanation that blames the label most, of those that need no trust in the model without it."""
    return max((one if trusted or one.kind == "duplicate" else one._replace(score=0.0) for one in told), key=_score)


def _score(one: Explanation) -> float:
    return one.score


def judgement(score: float) -> str:
    """Return who is wrong: label, model, or unclear."""
    return "label" if score >= LABEL else "unclear" if score >= UNCLEAR else "model"


def _of_a_miss(
    place: LabelledSheet, standard: Standard, label: int, twins: dict[int, tuple[int, float]], iou: float
) -> Iterator[Explanation]:
    own, on = int(place.label_class[label]), place.on[label]
    same = place.seen_class == own
    denied = 1 - min(1.0, _most(place.confidence[same & (on >= iou)]) / max(place.threshold, 1e-9))
    yield Explanation("missed", 0.0, label, None)  # the model's mistake: nothing blames the label
    if label in twins:
        other, score = twins[label]
        yield Explanation("duplicate", score, label, None, int(place.label_class[other]))
    for kind, rows in (
        ("wrong_class", ~same & place.false & (on >= iou)),
        ("badly_placed", same & place.false & (on >= TOUCHING) & (on < iou)),
    ):
        for row in np.flatnonzero(rows):
            said = int(place.seen_class[row])
            score = standard.trust_beside(said, float(place.confidence[row])) * denied
            far = min(1.0, (iou - on[row]) / NEARLY) if kind == "badly_placed" else 1.0
            yield Explanation(kind, score * far, label, int(row), said if kind == "wrong_class" else None)
    proposed = min(1.0, _most(place.confidence[on >= TOUCHING]) / max(place.threshold, 1e-9))
    yield Explanation("stray", (1 - proposed) * standard.odd(own, place.labels[label]), label, None)


def _of_a_find(
    place: LabelledSheet, standard: Standard, label: int, twins: dict[int, tuple[int, float]]
) -> Iterator[Explanation]:
    own = int(place.label_class[label])
    row = int(np.flatnonzero(place.finds == label)[0])
    badly = standard.badly(own, float(place.on[label, row]))
    trust = standard.trust(own, float(place.confidence[row]))
    yield Explanation("badly_placed", FITS_ENOUGH * trust * badly, label, row)
    if label in twins:
        other, score = twins[label]
        yield Explanation("duplicate", score, label, row, int(place.label_class[other]))


def _of_an_alarm(place: LabelledSheet, standard: Standard, row: int) -> Explanation:
    said, confidence = int(place.seen_class[row]), float(place.confidence[row])
    over = iou_matrix(place.seen[[row]], place.seen)[0]
    surer = place.counts & (place.confidence > confidence)
    free = 1 - max(_most(place.on[:, row]), _most(over[surer])) / SAME_PLACE[0]
    score = standard.trust(said, confidence) * max(free, 0.0) * (1 - standard.odd(said, place.seen[row]))
    return Explanation("missing_box" if score >= UNCLEAR else "false_alarm", score, None, row)


def _twins(place: LabelledSheet) -> dict[int, tuple[int, float]]:
    """Return for labels that lie on another one its row, and how surely they are one object: the worse of the two."""
    twins: dict[int, tuple[int, float]] = {}
    low, high = SAME_PLACE
    over = np.triu(iou_matrix(place.labels, place.labels), 1)
    for first, second in np.argwhere(over > low):
        score = min(1.0, (over[first, second] - low) / (high - low))
        worse = first if place.missed[first] and not place.missed[second] else second
        twins[int(worse)] = (int(first + second - worse), float(score))
    return twins


def _most(values: Floats) -> float:
    return float(values.max(initial=0.0))


def _places(
    *, images: pd.DataFrame, ground_truth: pd.DataFrame, detections: pd.DataFrame, matches: pd.DataFrame
) -> Iterator[LabelledSheet]:
    hits = matches.loc[matches["outcome"] == "tp", [*SHEET, "detection_id", "object_id"]]
    seen = detections.merge(hits, on=[*SHEET, "detection_id"], how="left", validate="one_to_one")
    labels, found = (dict(list(table.groupby(SHEET, sort=False))) for table in (ground_truth, seen))
    sheets = images[images["labelled"]].sort_values(SHEET)
    for split, image_id, threshold in sheets[[*SHEET, "confidence"]].itertuples(index=False, name=None):
        key = (str(split), str(image_id))
        yield _place(key, labels.get(key, ground_truth[:0]), found.get(key, seen[:0]), threshold)


def _place(key: tuple[str, str], labels: pd.DataFrame, seen: pd.DataFrame, threshold: float) -> LabelledSheet:
    objects = labels["object_id"].to_numpy()
    row_of = {int(one): row for row, one in enumerate(objects)}
    finds = np.array([row_of.get(one, -1) for one in seen["object_id"].fillna(-1).astype(int)], dtype=np.int64)
    boxes, others = labels[BOX].to_numpy(float), seen[BOX].to_numpy(float)
    confidence = seen["confidence"].to_numpy(float)
    return LabelledSheet(
        key,
        objects,
        labels["class_id"].to_numpy(),
        boxes,
        ~np.isin(np.arange(len(objects)), finds),
        seen["detection_id"].to_numpy(),
        seen["class_id"].to_numpy(),
        confidence,
        others,
        finds,
        confidence >= threshold,
        threshold,
        iou_matrix(boxes, others),
    )


def _row(place: LabelledSheet, one: Explanation, standard: Standard) -> dict[str, Any]:
    label, seen = one.label, one.detection
    class_id = int(place.label_class[label] if label is not None else place.seen_class[seen])
    both = label is not None and seen is not None
    told = (int(place.seen_class[seen]), float(place.confidence[seen])) if seen is not None else None
    score = round(one.score, 6)
    return {
        "split": place.key[0],
        "image_id": place.key[1],
        "object_id": None if label is None else place.object_id[label],
        "detection_id": None if seen is None else place.detection_id[seen],
        "class_id": class_id,
        "judgement": judgement(score),
        "kind": one.kind,
        "other_class_id": one.other,
        "confidence": told and told[1],
        "sure": told and standard.sure(*told),
        "right": told and standard.right(*told),
        "iou": place.on[label, seen] if both else None,
        "score": score,
    }
