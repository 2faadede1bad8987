"""One sheet by hand for every fate, then laws on random ones."""

import numpy as np
import pandas as pd
import pytest

from stages.base.boxes import BOX
from stages.ruler.losses.fates import FATES, fate_counts, ledger
from stages.ruler.matching.matching import outcomes, row_thresholds
from stages.ruler.pairing.evidence import REASONS, evidence

CLASSES = ["door", "sink"]
DOOR, SINK = 0, 1
BOX_A = [0, 0, 10, 10]
ON_A = [0, 0, 10, 8]  # IoU 0.8
OFF_A = [0, 0, 10, 3]  # IoU 0.3
BESIDE_A = [5, 0, 15, 10]  # IoU 1/3 with BOX_A


def table(rows, *, number):
    columns = ["split", "image_id", number, "class_id", *BOX]
    return pd.DataFrame(rows, columns=columns).astype({**dict.fromkeys(BOX, float), "class_id": "int32"})


def fates(truth, *, kept=(), discarded=(), threshold=0.25):
    """Return the rows of the ledger of one sheet: `truth` (class, box), `kept` (class, confidence, box), and so on."""
    images = pd.DataFrame({"split": ["val"], "image_id": ["a"], "confidence": [threshold]})
    there = table([("val", "a", i, c, *box) for i, (c, box) in enumerate(truth)], number="object_id")
    found = table([("val", "a", i, c, *box) for i, (c, _, box) in enumerate(kept)], number="detection_id")
    found["confidence"] = np.array([confidence for _, confidence, _ in kept], dtype=float)
    lost = table([("val", "a", i, c, *box) for i, (c, _, box, _) in enumerate(discarded)], number="candidate_id")
    lost["confidence"] = np.array([confidence for _, confidence, _, _ in discarded], dtype=float)
    lost["reason"] = pd.Series([reason for *_, reason in discarded], dtype="str")
    matches = outcomes(detections=found, ground_truth=there, iou=0.5, confidence=threshold)
    tables = {"images": images, "ground_truth": there, "detections": found, "discarded": lost, "matches": matches}
    return ledger(**tables, iou=0.5)


ONE = [(DOOR, BOX_A)]
SEEDS = range(60)
UNDER = (DOOR, 0.2, ON_A)  # kept, of its class and in its place, but not sure enough


@pytest.mark.parametrize(
    ("kept", "discarded", "fate", "confidence", "iou"),
    [
        ([(DOOR, 0.9, ON_A)], [], "found", 0.9, 0.8),
        ([(DOOR, 0.25, ON_A)], [(DOOR, 0.9, BOX_A, "filter")], "found", 0.25, 0.8),  # found is found
        ([UNDER], [(DOOR, 0.9, ON_A, "filter"), (DOOR, 0.95, ON_A, "max_det")], "filter", 0.9, 0.8),
        ([UNDER], [(DOOR, 0.9, ON_A, "filter"), (DOOR, 0.95, ON_A, "merge")], "filter", 0.9, 0.8),
        ([UNDER], [(DOOR, 0.9, ON_A, "merge"), (DOOR, 0.95, ON_A, "max_det")], "merge", 0.9, 0.8),
        ([], [(DOOR, 0.2, ON_A, "merge")], "under_threshold", 0.2, 0.8),
        ([], [(SINK, 0.9, BOX_A, "merge")], "wrong_class", 0.9, 1.0),  # it yielded to another: the last resort
        ([UNDER], [(DOOR, 0.9, ON_A, "max_det"), (DOOR, 0.95, ON_A, "nms")], "max_det", 0.9, 0.8),
        ([UNDER], [(DOOR, 0.9, ON_A, "nms"), (DOOR, 0.2, ON_A, "filter")], "suppressed", 0.9, 0.8),
        ([UNDER, (SINK, 0.9, ON_A)], [], "under_threshold", 0.2, 0.8),
        ([], [(DOOR, 0.2, ON_A, "max_det"), (DOOR, 0.005, BOX_A, "floor")], "under_threshold", 0.2, 0.8),
        ([(SINK, 0.3, ON_A), (DOOR, 0.9, OFF_A)], [(DOOR, 0.005, BOX_A, "floor")], "wrong_class", 0.3, 0.8),
        ([(SINK, 0.2, ON_A), (DOOR, 0.3, OFF_A)], [], "badly_placed", 0.3, 0.3),
        ([(SINK, 0.1, ON_A), (DOOR, 0.2, OFF_A)], [], "wrong_class", 0.1, 0.8),
        ([(DOOR, 0.02, OFF_A)], [(DOOR, 0.005, BOX_A, "floor")], "badly_placed", 0.02, 0.3),
        ([], [(DOOR, 0.005, ON_A, "floor"), (SINK, 0.009, BOX_A, "floor")], "under_floor", 0.005, 0.8),
        ([], [(SINK, 0.009, BOX_A, "floor")], "under_floor", 0.009, 1.0),
        ([], [(SINK, 0.9, BOX_A, "nms")], "wrong_class", 0.9, 1.0),  # a duplicate of something: the last resort
        ([], [(DOOR, 0.9, OFF_A, "nms"), (DOOR, 0.005, OFF_A, "floor")], "never_proposed", None, None),
        ([(SINK, 0.9, OFF_A)], [], "never_proposed", None, None),  # another class, and not in its place
        ([(DOOR, 0.9, [0, 0, 10, 0.9])], [], "never_proposed", None, None),  # IoU 0.09
        ([(DOOR, 0.9, [0, 0, 10, 1])], [], "badly_placed", 0.9, 0.1),
        ([], [], "never_proposed", None, None),
    ],
)
def test_the_fate_of_one_box(kept, discarded, fate, confidence, iou):
    row = fates(ONE, kept=kept, discarded=discarded).iloc[0]
    assert row["fate"] == fate
    assert (row["confidence"], row["iou"]) == pytest.approx(
        (confidence, iou) if confidence else (np.nan, np.nan), nan_ok=True
    )


def test_a_detection_that_counts_for_the_neighbour():
    twins = [(DOOR, BOX_A), (DOOR, [0, 0, 10, 9])]
    rows = fates(twins, kept=[(DOOR, 0.9, BOX_A), (DOOR, 0.1, [0, 0, 10, 9])])
    assert rows["fate"].tolist() == ["found", "taken"]
    assert rows["confidence"].tolist() == [0.9, 0.9]
    assert rows["iou"].tolist() == pytest.approx([1.0, 0.9])


def test_what_found_a_neighbour_is_no_evidence_of_a_bad_place_or_class():
    near = [(DOOR, BOX_A), (DOOR, BESIDE_A)]
    assert fates(near, kept=[(DOOR, 0.9, BOX_A)])["fate"].tolist() == ["found", "never_proposed"]
    assert fates(near, kept=[(DOOR, 0.2, BOX_A)])["fate"].tolist() == ["under_threshold", "badly_placed"]
    stacked = [(DOOR, BOX_A), (SINK, ON_A)]
    under = [(SINK, 0.005, ON_A, "floor")]
    assert fates(stacked, kept=[(DOOR, 0.9, BOX_A)], discarded=under)["fate"].tolist() == ["found", "under_floor"]


def test_every_sheet_has_its_own_threshold():
    assert fates(ONE, kept=[UNDER], threshold=0.2)["fate"].tolist() == ["found"]
    assert fates(ONE, kept=[UNDER], threshold=0.21)["fate"].tolist() == ["under_threshold"]


def test_counts_by_hand():
    rows = fates(
        [(DOOR, BOX_A), (SINK, [50, 50, 60, 60]), (SINK, [80, 80, 90, 90])],
        kept=[(DOOR, 0.9, BOX_A), (SINK, 0.1, [50, 50, 60, 60])],
    )
    counts = fate_counts(rows, classes=CLASSES, splits=["val", "train"])
    assert list(counts.columns) == ["split", "class_name", "boxes", *FATES]
    assert counts["boxes"].tolist() == [3, 1, 2, 0, 0, 0]
    val = counts[counts["split"] == "val"].set_index("class_name")
    assert val.loc["all", ["found", "under_threshold", "never_proposed"]].tolist() == [1, 1, 1]
    assert val.loc["sink", ["found", "under_threshold", "never_proposed"]].tolist() == [0, 1, 1]


def world(seed):
    """Return random tables of four sheets: boxes in heaps, and candidates of every kind around them."""
    rng = np.random.default_rng(seed)
    images = pd.DataFrame({"split": "val", "image_id": list("abcd"), "confidence": rng.choice([0.1, 0.3, 0.6], 4)})

    def boxes(count, number):
        corner, side = rng.integers(0, 4, (count, 2)) * 5, rng.integers(8, 13, (count, 2))
        frame = pd.DataFrame(np.hstack([corner, corner + side]).astype(float), columns=BOX)
        frame["split"], frame["image_id"] = "val", rng.choice(list("abcd"), count)
        frame["class_id"] = rng.integers(0, 2, count).astype("int32")
        return frame.assign(**{number: frame.groupby("image_id").cumcount()})

    alone = boxes(int(rng.integers(0, 12)), "object_id")
    twins = alone.sample(frac=0.4, random_state=rng)
    truth = pd.concat([alone, twins.assign(x2=twins["x2"] + 1)], ignore_index=True)
    truth["object_id"] = truth.groupby("image_id").cumcount()
    kept, lost = boxes(int(rng.integers(0, 30)), "detection_id"), boxes(int(rng.integers(0, 80)), "candidate_id")
    kept["confidence"] = rng.uniform(0.01, 1, len(kept)).round(2)
    lost["reason"] = rng.choice(REASONS, len(lost))
    low, high = rng.uniform(0.001, 0.01, len(lost)), rng.uniform(0.01, 1, len(lost)).round(2)
    lost["confidence"] = np.where(lost["reason"] == "floor", low, high)
    limits = row_thresholds(detections=kept, images=images)
    matches = outcomes(detections=kept, ground_truth=truth, iou=0.5, confidence=limits)
    return {"images": images, "ground_truth": truth, "detections": kept, "discarded": lost, "matches": matches}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_box_has_exactly_one_fate(seed):
    tables = world(seed)
    rows = ledger(**tables, iou=0.5)
    key = ["split", "image_id", "object_id"]
    assert rows[key].to_numpy().tolist() == tables["ground_truth"][key].to_numpy().tolist()
    assert set(rows["fate"]) <= set(FATES)
    tp = tables["matches"][tables["matches"]["outcome"] == "tp"]
    found = rows[rows["fate"] == "found"]
    assert set(zip(found["image_id"], found["object_id"], strict=True)) == set(
        zip(tp["image_id"], tp["object_id"], strict=True)
    )
    assert (rows["confidence"].isna() == (rows["fate"] == "never_proposed")).all()
    assert (rows["iou"].isna() == rows["confidence"].isna()).all()
    placed = ~rows["fate"].isin(["badly_placed", "never_proposed"])
    assert (rows.loc[placed, "iou"] >= 0.5).all()
    assert rows.loc[rows["fate"] == "badly_placed", "iou"].between(0.1, 0.5, inclusive="left").all()
    counts = fate_counts(rows, classes=CLASSES, splits=["val"])
    assert (counts[list(FATES)].sum(axis=1) == counts["boxes"]).all()
    assert counts["boxes"].tolist()[0] == len(rows) == counts["boxes"].tolist()[1:][0] + counts["boxes"].tolist()[2]


def test_all_fates_occur_in_the_random_worlds():
    """So the laws above were asked of each."""
    assert {fate for seed in SEEDS for fate in ledger(**world(seed), iou=0.5)["fate"]} == set(FATES)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_evidence_alone_gives_the_same_ledger(seed):
    tables = world(seed)
    parts = []
    for image_id, lost in tables["discarded"].groupby("image_id"):
        truth = tables["ground_truth"][tables["ground_truth"]["image_id"] == image_id]
        rows = evidence(
            class_id=lost["class_id"].to_numpy(),
            confidence=lost["confidence"].to_numpy(),
            xyxy=lost[BOX].to_numpy(),
            reason=np.array([REASONS.index(reason) for reason in lost["reason"]], dtype=np.int64),
            truth_class=truth["class_id"].to_numpy(),
            truth=truth[BOX].to_numpy(),
        )
        parts.append(lost.iloc[rows])
    few = pd.concat([tables["discarded"].iloc[:0], *parts])
    assert len(few) < len(tables["discarded"]) or not len(few)
    for iou in (0.3, 0.5, 0.75):  # chosen without knowing the ruler
        pd.testing.assert_frame_equal(ledger(**tables, iou=iou), ledger(**{**tables, "discarded": few}, iou=iou))


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_tables_does_not_matter(seed):
    tables = world(seed)
    rng = np.random.default_rng(seed)
    names = ("images", "detections", "discarded", "matches")
    shuffled = {name: tables[name].iloc[rng.permutation(len(tables[name]))] for name in names}
    pd.testing.assert_frame_equal(ledger(**tables, iou=0.5), ledger(**{**tables, **shuffled}, iou=0.5))
