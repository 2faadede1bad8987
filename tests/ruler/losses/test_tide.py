"""Every kind of error by hand, what each costs, and the same numbers as tidecv's on random sets."""

import numpy as np
import pandas as pd
import pytest

from stages.base.boxes import BOX
from stages.ruler.losses.tide import ERRORS, error_costs, errors, judge
from stages.ruler.scores import average_precision

KEYS = {"cls": "Cls", "loc": "Loc", "both": "Both", "dupe": "Dupe", "bkg": "Bkg", "miss": "Miss"}
DOOR, SINK = 0, 1
A = [0, 0, 10, 10]
ON_A = [0, 0, 10, 8]  # IoU 0.8
OFF_A = [0, 0, 10, 3]  # IoU 0.3
B = [50, 50, 60, 60]
FAR = [80, 80, 90, 90]


def tables(truth, found, threshold=0.0):
    """Return the tables of one sheet: `truth` (class, box), `found` (class, confidence, box)."""
    columns = ["split", "image_id", "class_id", *BOX]
    there = pd.DataFrame([("val", "a", c, *box) for c, box in truth], columns=columns)
    seen = pd.DataFrame([("val", "a", c, *box) for c, _, box in found], columns=columns)
    types = {"class_id": "int32", **dict.fromkeys(BOX, float)}
    return {
        "images": pd.DataFrame({"split": ["val"], "image_id": ["a"], "confidence": [threshold]}),
        "ground_truth": there.assign(object_id=np.arange(len(there))).astype(types),
        "detections": seen.assign(
            detection_id=np.arange(len(seen)), confidence=np.array([sure for _, sure, _ in found], dtype=float)
        ).astype(types),
    }


def costs_of(world):
    return error_costs(**world, iou=0.5, splits=["val"]).set_index("error")


@pytest.mark.parametrize(
    ("box", "name", "error", "about"),
    [
        (OFF_A, DOOR, "loc", 0),
        ([0, 0, 10, 1], DOOR, "loc", 0),  # IoU 0.1
        ([0, 0, 10, 5], SINK, "cls", 0),  # IoU 0.5
        (ON_A, SINK, "cls", 0),
        (OFF_A, SINK, "both", None),
        ([0, 0, 10, 1], SINK, "bkg", None),
        ([0, 0, 10, 0.9], DOOR, "bkg", None),
        (FAR, DOOR, "bkg", None),
    ],
)
def test_a_false_alarm_near_a_box(box, name, error, about):
    got = errors(**tables([(DOOR, A)], [(name, 0.9, box)]), iou=0.5)
    false = got[got["outcome"] == "fp"].iloc[0]
    assert false["error"] == error
    assert (None if pd.isna(false["object_id"]) else false["object_id"]) == about
    missed = got.loc[got["outcome"] == "fn", "error"].tolist()
    assert missed == ([] if error in ("loc", "cls") else ["miss"])  # those two account for the miss


def test_a_second_detection_of_a_box_is_a_duplicate_unless_it_is_badly_placed():
    world = tables([(DOOR, A)], [(DOOR, 0.9, A), (DOOR, 0.8, ON_A), (DOOR, 0.7, OFF_A)])
    got = errors(**world, iou=0.5)
    assert got[["detection_id", "error", "object_id"]].to_numpy().tolist() == [[1, "dupe", 0], [2, "loc", 0]]


def test_the_threshold_of_the_sheet_decides_what_is_an_error():
    world = tables([(DOOR, A)], [(DOOR, 0.9, A), (DOOR, 0.3, FAR)], threshold=0.31)
    assert errors(**world, iou=0.5).empty
    world["images"]["confidence"] = 0.3
    assert errors(**world, iou=0.5)["error"].tolist() == ["bkg"]


def test_costs_by_hand():
    # Found A; B is called a sink twice, and missed; a false alarm; a second, sure one on A.
    found = [(DOOR, 0.9, A), (DOOR, 0.8, ON_A), (SINK, 0.7, B), (SINK, 0.6, B), (DOOR, 0.5, FAR)]
    got = costs_of(tables([(DOOR, A), (DOOR, B), (DOOR, [20, 20, 30, 30])], found))
    assert got["count"].to_dict() == {"cls": 2, "loc": 0, "both": 0, "dupe": 1, "bkg": 1, "miss": 1}
    before = 2 / (2 + 4 + 2)  # tp 1, fp 4, fn 2
    expected = {
        "cls": 4 / (4 + 2 + 1) - before,  # one of the two finds B, the other goes
        "loc": 0,
        "both": 0,
        "dupe": 2 / (2 + 3 + 2) - before,
        "bkg": 2 / (2 + 3 + 2) - before,
        "miss": 2 / (2 + 4 + 1) - before,
    }
    assert got["d_f1"].to_dict() == pytest.approx(expected)
    # AP: precision 1 up to recall 1/3 is 34 of 101 recalls. Mended cls: hit, dupe, hit, bkg: 2/3 for 33 recalls more.
    assert got.loc["cls", "d_ap50"] == pytest.approx(33 * (2 / 3) / 101)
    assert got.loc["miss", "d_ap50"] == pytest.approx((51 - 34) / 101)  # one of two boxes
    assert got.loc[["loc", "both", "dupe", "bkg"], "d_ap50"].tolist() == [0, 0, 0, 0]


def test_the_surest_of_both_kinds_finds_the_box():
    found = [(SINK, 0.9, A), (DOOR, 0.8, OFF_A)]
    judged = judge(**{k: v for k, v in tables([(DOOR, A)], found).items() if k != "images"}, iou=0.5)
    assert judged.error.tolist() == ["cls", "loc"]
    assert judged.mends.tolist() == [True, False]
    costs = costs_of(tables([(DOOR, A)], found))
    assert costs.loc["cls", "d_f1"] == pytest.approx(2 / 3)  # found, and one false alarm left
    assert costs.loc["loc", "d_f1"] == 0  # a false alarm less: still nothing found


@pytest.mark.parametrize(
    ("truth", "found", "d_f1", "d_ap50"),
    [
        ([], [], [np.nan] * 6, [np.nan] * 6),
        ([], [(DOOR, 0.9, A)], [0, 0, 0, 0, np.nan, 0], [np.nan] * 6),  # without the false alarm nothing is left
        ([(DOOR, A)], [], [0, 0, 0, 0, 0, np.nan], [0, 0, 0, 0, 0, np.nan]),
        ([(DOOR, A)], [(DOOR, 0.9, A)], [0] * 6, [0] * 6),
    ],
)
def test_what_is_undefined_is_null(truth, found, d_f1, d_ap50):
    got = costs_of(tables(truth, found))
    assert got["d_f1"].tolist() == pytest.approx(d_f1, nan_ok=True)
    assert got["d_ap50"].tolist() == pytest.approx(d_ap50, nan_ok=True)


def world(seed, *, classes=3, sheets=8):
    """Return random tables: every class has boxes, and most boxes something near them."""
    rng = np.random.default_rng(seed)
    names = [f"{i}.png" for i in range(sheets)]

    def frame(count, number):
        corner, side = rng.uniform(0, 60, (count, 2)), rng.uniform(8, 30, (count, 2))
        table = pd.DataFrame(np.hstack([corner, corner + side]), columns=BOX)
        table = table.assign(split="val", image_id=rng.choice(names, count), class_id=np.arange(count) % classes)
        return table.assign(**{number: table.groupby("image_id").cumcount()})

    truth = frame(int(rng.integers(20, 60)), "object_id")
    near = truth.sample(frac=2.0, replace=True, random_state=rng).reset_index(drop=True)
    near[BOX] += rng.normal(0, rng.choice([1.0, 5.0]), (len(near), 4))
    near.loc[rng.random(len(near)) < 0.25, "class_id"] = 0
    seen = pd.concat([near.drop(columns="object_id"), frame(20, "detection_id")], ignore_index=True)
    seen["detection_id"] = seen.groupby("image_id").cumcount()
    seen["confidence"] = rng.permutation(len(seen)) / len(seen)  # no two are equal
    images = pd.DataFrame({"split": "val", "image_id": names, "confidence": 0.0})
    return {"images": images, "ground_truth": truth, "detections": seen}


def outside(tables):
    """Return the counts and costs that tidecv finds, by our names."""
    from tidecv import TIDE, Data

    truth, seen = Data("truth", max_dets=10**9), Data("seen")
    for name in tables["images"]["image_id"]:
        truth.add_image(name, name)
    for row in tables["ground_truth"].itertuples():
        truth.add_ground_truth(row.image_id, row.class_id, [row.x1, row.y1, row.x2 - row.x1, row.y2 - row.y1])
    for row in tables["detections"].itertuples():
        box = [row.x1, row.y1, row.x2 - row.x1, row.y2 - row.y1]
        seen.add_detection(row.image_id, row.class_id, row.confidence, box)
    run = TIDE().evaluate(truth, seen)
    counts = {kind.short_name: count for kind, count in run.count_errors().items()}
    aps = {kind.short_name: value / 100 for kind, value in run.fix_main_errors().items()}
    return {ours: counts[theirs] for ours, theirs in KEYS.items()}, {ours: aps[theirs] for ours, theirs in KEYS.items()}


@pytest.mark.parametrize("seed", range(40))
def test_counts_and_costs_are_those_of_tidecv(seed, monkeypatch):
    tables = world(seed)
    counts, aps = outside(tables)
    got = costs_of(tables)
    assert got["count"].to_dict() == counts
    # Ten of the 101 recalls differ in the last bit: a class that reaches one exactly may gain or lose one recall.
    assert got["d_ap50"].to_dict() == pytest.approx(aps, abs=2 / 101)
    monkeypatch.setattr(average_precision, "RECALLS", np.arange(101) / 100)  # tidecv's
    assert costs_of(tables)["d_ap50"].to_dict() == pytest.approx(aps, abs=1e-9)


def test_all_kinds_of_errors_occur_in_the_random_worlds():
    counts = sum(costs_of(world(seed))["count"] for seed in range(10))
    assert (counts[list(ERRORS)] > 10).all()


def test_a_class_without_boxes_weighs_nothing_but_halves_the_costs_of_tidecv():
    tables_ = tables([(DOOR, A), (DOOR, B)], [(DOOR, 0.9, FAR), (DOOR, 0.8, A), (SINK, 0.7, FAR)])
    _, aps = outside(tables_)
    got = costs_of(tables_)["d_ap50"]
    # AP of doors is 1/2 up to recall 1/2; without false alarms it is 1, 51 of 101 recalls. tidecv counts two classes
    # before, the second at 0, and one after.
    assert got["bkg"] == pytest.approx(51 / 101 / 2)
    assert aps["bkg"] == pytest.approx(51 / 101 - 51 / 101 / 2 / 2)


@pytest.mark.parametrize("seed", range(10))
def test_rows_and_counts_agree_and_nothing_is_counted_twice(seed):
    tables = world(seed)
    tables["images"]["confidence"] = np.random.default_rng(seed).uniform(0.2, 0.7, len(tables["images"]))
    rows, got = errors(**tables, iou=0.5), costs_of(tables)
    assert rows["error"].value_counts().reindex(ERRORS, fill_value=0).to_dict() == got["count"].to_dict()
    assert not rows.duplicated(["image_id", "outcome", "object_id", "detection_id"]).any()
    assert (got["d_f1"] >= 0).all()
