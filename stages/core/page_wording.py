"""The sentences on the page of an iteration: what its numbers mean, and how they came about."""

from collections.abc import Mapping
from typing import Any

TILES = (
    "F1 is the harmonic mean of precision (which share of the detections is right) and recall (which share of the "
    "boxes was found). mAP50 is the average precision over all confidences, at IoU 0.50, mean over the classes. Below "
    "a number stands its 95 % interval, and what it gained since the iteration before, with that of it. F1 on "
    "train far above F1 on val means that the sheets of train were learnt by heart."
)
SCORES = (
    "Below each rate is its 95 % interval: where it would lie on all such sheets, judged from how much it differs from "
    "sheet to sheet. A detection finds at most one box of its own class (TP); other detections are false alarms (FP), "
    "other boxes are missed (FN). P is TP / (TP + FP), R is TP / (TP + FN). A dash is a number that is undefined."
)
RULER = (
    "All that changes what the numbers on val mean. Iterations are compared only where the ruler is the same; the "
    "content of val is a digest of its sheets and labels."
)
LEDGER = (
    "Every labelled box of val was found, or lost at exactly one step: not proposed by the network, under a threshold, "
    "in the wrong class or place, or dropped on the way."
)
ERRORS = (
    "In TIDE's terms. The cost of a kind of error is by how much the number would rise if that kind alone were mended; "
    "costs do not add up, since mending one error can bring another to light."
)
MISSED = (
    "The bars count the missed boxes of val: by area, by place, and by what makes them hard. Each picture shows the "
    "surroundings of one, framed in red. “Nearly found” is a detection of its class on it, at a confidence that is too "
    "low to count."
)
ALARMS = (
    "A detection on val that is on no box of its class, with how sure the model is of it. Some may be boxes that the "
    "labels lack: look."
)
REVIEW = (
    "An error is what the ruler counts as one: a box that was added, deleted or given another class, or whose place "
    "was off by more than validate.iou allows. Some sheets of a packet are drawn at random, and no reviewer can tell "
    "them: what is found there is what chance would have brought. The two are compared over all reviews so far; labels "
    "that nobody looked at count in none of this."
)
PACKET = (
    "The number is the sheet's place in the review: the most valuable sheets come first, those of one group together. "
    "Whole sheets go to review, so everything on them is corrected."
)
PROMPTS = (
    "From fixed rules, over the misses on val and pool. Prompts stand in data/prompts.yaml; an edit during the review "
    "belongs to the next iteration."
)
NO_PROMPTS = "What YOLOE is told to look for. No change is suggested."
COST = (
    "Reviewed are the sheets and boxes that a review brought into train before that iteration. Seconds are those of "
    "this machine; they are kept in logs, beside Git and DVC, so they are unknown for an iteration that ran elsewhere, "
    "came from the cache, or was finished before they were kept."
)
TEST = (
    "Test is set aside: no stage reads it, and `yoloop holdout` scores it by the ruler of val. The first number is a "
    "surprise; whoever has seen it and goes on lets it choose."
)
MADE_OF = (
    "weights_sha256 is the digest of the weights' tensors: equal digests are equal detectors. start says which weights "
    "the training began with."
)
_BECAUSE = {
    "target_f1": "the target is reached",
    "max_iterations": "enough iterations are done",
    "plateau": "F1 has stopped rising",
    "overfitting": "train is learnt by heart",
}


def because(rule: str | None) -> str:
    """Return in words why the loop stops, "" where it goes on."""
    return _BECAUSE.get(rule or "", "")


def rules(limits: Mapping[str, Any]) -> str:
    """Return when the loop stops, from the section `converge` of the parameters."""
    return (
        f"The loop stops when F1 on val is at least {limits['target_f1']}, when {limits['max_iterations']} iterations "
        f"are done, when F1 on val gained less than {limits['plateau_gain']} over {limits['plateau_window']} "
        f"iterations, or when F1 on train is more than {limits['overfit_gap']} above it, asked in this order."
    )


def unseen(count: int, total: int) -> str:
    """Return the warning that `count` of the `total` sheets of train were labelled by the model alone."""
    return (
        f"Labelled by --auto: {count} of the {total} sheets in train. These are the model's own detections, which "
        "nobody looked at; they can spread its errors."
    )


def chosen(counts: Mapping[str, Any]) -> str:
    """Return how the packet was chosen, from metrics/sample.json, which told of no random sheets at first."""
    random = counts.get("random_sheets", 0)
    by_chance = (
        f" {random} of the sheets {'were' if random > 1 else 'was'} drawn at random, and nothing tells which, to see "
        "whether the picker is better than chance."
    )
    return (
        f"{counts['chosen_objects']} of {counts['candidates']} candidates go to review, on {counts['packet_sheets']} "
        f"of {counts['pool_sheets']} sheets of the pool. Candidates are missed boxes of the pool ({counts['missed']}), "
        f"detections on sheets without labels ({counts['uncertain']}), and sheets on which nothing was seen "
        f"({counts['nothing_seen']}).{by_chance if random else ''}"
    )
