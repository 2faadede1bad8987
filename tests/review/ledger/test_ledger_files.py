"""The ledger on disk: what a review came to, added to the reviews before, and read again."""

import json
from pathlib import Path

import pandas as pd
import pytest

from stages.base.boxes import BOX
from stages.base.errors import UserError
from stages.base.tables import with_details
from stages.picking.arms_file import read_expected
from stages.picking.packet import PRELABELS, Packet, PacketSheet
from stages.review.kept.kept_review import Review, ReviewedBox, ReviewedSheet
from stages.review.ledger.ledger_files import (
    COLUMNS,
    forecast_of_part,
    ledger_of,
    metrics_text,
    no_review_text,
    read_review_sheets,
    review_sheets_text,
)
from stages.review.ledger.ledger_lines import review_lines
from stages.review.ledger.ledger_summary import Past

CLASSES = ("door", "sink ü")
NONE = read_review_sheets(Path("no such file"))
ARMS = {"a.png": "picked", "b c.png": "random", "d.png": "picked", "e.png": "random"}
PRELABELLED = [  # sheet, id, class, box, confidence
    ("a.png", "1-1", "door", (0, 0, 10, 10), 0.9),
    ("a.png", "1-2", "door", (50, 50, 60, 60), 0.6),
    ("a.png", "1-3", "sink ü", (80, 80, 90, 90), 0.5),
    ("b c.png", "2-1", "sink ü", (0, 0, 10, 10), None),
    ("e.png", "4-1", "door", (0, 0, 10, 10), 0.7),
]


def packet(iteration=0):
    rows = [(name, key, kind, *map(float, box), confidence) for name, key, kind, box, confidence in PRELABELLED]
    sheets = tuple(
        PacketSheet(order, name, "0" * 64, 100, 100, "claims" if name == "b c.png" else "model", "")
        for order, name in enumerate(ARMS, 1)
    )
    prelabels = pd.DataFrame(rows, columns=list(PRELABELS)).astype(PRELABELS)
    return Packet(Path("packet"), "0123456789ab", iteration, CLASSES, 0, "3f2a90bc", sheets, prelabels, pd.DataFrame())


def sheet(name, *boxes, seconds=None, status="reviewed"):
    made = tuple(ReviewedBox(kind, *map(float, box), key) for kind, box, key in boxes)
    return ReviewedSheet(name, "0" * 64, status, seconds, made)


def review(*sheets, iteration=0, source="page"):
    return Review("0123456789ab", iteration, CLASSES, source, False, sheets)


DONE = (
    sheet(
        "a.png",
        ("door", (0, 0, 10, 10), "1-1"),
        ("door", (52, 50, 62, 60), "1-2"),  # moved, IoU 2 / 3
        ("sink ü", (20, 20, 30, 30), None),  # added; 1-3 is deleted
        seconds=90.04,
    ),
    sheet("b c.png", ("door", (0, 0, 10, 10), "2-1"), seconds=30),  # reclassified
    sheet("d.png"),  # nothing before, nothing after, no time
    sheet("e.png", ("door", (0, 0, 10, 10), "4-1"), status="unreviewed", seconds=5),  # begun: no truth
)


DETECTED = pd.DataFrame(columns=["split", "image_id", "detection_id", "class_id", "confidence", *BOX]).astype(
    {"detection_id": "int32", "class_id": "int32", "confidence": "float64"}
)


def ledger(
    one,
    done,
    *,
    before=NONE,
    iou=0.5,
    judged=(),
    packets=(),
    repeats=(),
    detections=DETECTED,
    forecast=None,
    arms=ARMS,
    **more,
):
    return ledger_of(
        one,
        done,
        arms=arms,
        before=before,
        past=Past(judged, packets, repeats),
        detections=detections,
        forecast=forecast or {},
        iou=iou,
        **more,
    )


def test_what_the_review_came_to():
    made = ledger(packet(), review(*DONE), iou=0.5)
    assert made.boxes[["image_id", "outcome"]].to_numpy().tolist() == [
        ["a.png", "confirmed"], ["a.png", "moved"], ["a.png", "deleted"], ["a.png", "added"],
        ["b c.png", "reclassified"],
    ]  # fmt: skip
    assert review_sheets_text(made.sheets).splitlines() == [
        ",".join(COLUMNS),
        "0,a.png,picked,model,page,4,1,1,0,0,1,1,2,90.0",
        "0,b c.png,random,claims,page,1,0,0,0,1,0,0,1,30.0",
        "0,d.png,picked,model,page,0,0,0,0,0,0,0,0,",
    ]
    said = with_details(json.loads(metrics_text(made.metrics)))
    assert {key: said[key] for key in ("sheets", "boxes", "errors", "packet_sheets", "source")} == {
        "sheets": 3, "boxes": 5, "errors": 3, "packet_sheets": 4, "source": "page"
    }  # fmt: skip
    assert said["errors_per_box"] == 0.6
    assert said["minutes"] == pytest.approx(120.04 / 60, abs=1e-6)
    assert (said["timed_sheets"], said["seconds_per_box"]) == (2, pytest.approx(120.04 / 5))
    assert (said["picked_errors_per_box"], said["random_errors_per_box"], said["picker_gain"]) == (0.5, 1, -0.5)
    assert (said["picker_gain_low"], said["picker_gain_high"]) == (None, None)  # one sheet with boxes in each arm
    # Right are 1-1 and 1-2, of four pre-labels and four boxes.
    assert said["prelabels"] == {"before": 4, "after": 4, "right": 2, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    door, sink = said["prelabels_by_class"]
    assert (door["class_name"], door["before"], door["after"], door["right"]) == ("door", 2, 3, 2)
    assert (sink["class_name"], sink["before"], sink["after"], sink["right"]) == ("sink ü", 2, 1, 0)
    assert [(one["labels_from"], one["sheets"], one["f1"]) for one in said["prelabels_by_origin"]] == [
        ("claims", 1, 0), ("model", 2, pytest.approx(4 / 6))
    ]  # fmt: skip


def test_every_sheet_has_the_tools_that_it_went_through():
    """The head names the tool that began: for a sheet without a name of its own, as an older version wrote it."""
    done = (DONE[0]._replace(source="cvat"), DONE[1]._replace(source="cvat and page"), DONE[2], DONE[3])
    made = ledger(packet(), review(*done, source="coco"), iou=0.5)
    assert made.sheets["source"].tolist() == ["cvat", "cvat and page", "coco"]
    assert made.metrics["details"][0]["source"] == "cvat and page and coco"
    assert review_lines(with_details(made.metrics))[0].endswith(", with cvat and on the page and with coco")


def test_the_rulers_iou_decides_what_is_an_error():
    strict = ledger(packet(), review(*DONE), iou=0.7)
    assert strict.metrics["errors"] == 4
    assert strict.metrics["details"][0]["prelabels"]["right"] == 1


def test_what_the_model_saw_is_judged_by_the_review():
    boxes = [("a.png", 0, 0, 0.9, 0, 0, 10, 10), ("a.png", 1, 1, 0.5, 80, 80, 90, 90), ("x.png", 0, 0, 0.9, 0, 0, 9, 9)]
    columns = ["image_id", "detection_id", "class_id", "confidence", *BOX]
    detections = pd.DataFrame(boxes, columns=columns).assign(split="pool")
    earlier = [{"iteration": 0, "class_name": "door", "confidence": 0.5, "right": 7, "wrong": 1}] * 2
    earlier.append({**earlier[0], "iteration": 3})  # of another line: this is the review of iteration 3
    made = ledger(packet(3), review(*DONE, iteration=3), detections=detections, judged=earlier)
    found = with_details(made.metrics)["judged"]
    assert found[:2] == earlier[:2]
    rows = [(row["iteration"], row["class_name"], row["right"], row["wrong"]) for row in found[2:]]
    # Found: the door. Overlooked: the moved door, the sink that was added, and the door of b c.png.
    assert rows == [(3, "door", 1, 0), (3, "sink ü", 0, 1), (3, "", 3, 0)]
    unseen = review(DONE[0], source="auto")
    assert with_details(ledger(packet(), unseen, detections=detections).metrics)["judged"] == []


def test_what_was_promised_stands_beside_what_was_found():
    forecast = {
        "expected_errors": 3.4,
        "expected_errors_low": 0.2,
        "expected_errors_high": 6.6,
        "expected_minutes": 2.0,
    }
    found = with_details(ledger(packet(), review(*DONE), forecast=forecast).metrics)
    assert found["picked_errors"] == 2
    line = "[REVIEW] 3 errors were expected on the picked sheets (0 to 7), 2 were found"
    assert line in review_lines(found)
    assert not any("expected" in said for said in review_lines(with_details(ledger(packet(), review(*DONE)).metrics)))


def test_the_promises_of_all_packets_are_kept():
    forecast = {"expected_errors": 3.0, "expected_errors_low": 0.0, "expected_errors_high": 7.0}
    first = with_details(ledger(packet(), review(*DONE), forecast=forecast).metrics)["packets"]
    assert first == [
        {"iteration": 0, "expected": 3.0, "low": 0.0, "high": 7.0, "found": 2, "minutes": pytest.approx(120.04 / 60)}
    ]
    later = [*first, {**first[0], "iteration": 3}]  # of another line: this is the review of iteration 3
    found = with_details(ledger(packet(3), review(*DONE, iteration=3), packets=later).metrics)["packets"]
    assert found[0] == first[0]
    assert [(row["iteration"], row["expected"], row["found"]) for row in found[1:]] == [(3, None, 2)]
    unseen = review(DONE[0], iteration=1, source="auto")
    assert with_details(ledger(packet(1), unseen, packets=first).metrics)["packets"] == first


def test_what_is_undefined_is_null_and_not_zero():
    empty = ledger(packet(), review(sheet("d.png")), iou=0.5).metrics
    keys = ("errors_per_box", "prelabel_f1", "minutes", "picker_gain")
    assert (empty["sheets"], [empty[key] for key in keys]) == (1, [None] * 4)
    none = json.loads(no_review_text())
    assert none["sheets"] == 0
    assert [none[key] for key in keys] == [None] * 4
    assert none.keys() == empty.keys()  # DVC shows the same columns before the first review


def test_a_review_is_added_to_those_before_and_read_again(tmp_path):
    first = ledger(packet(), review(*DONE), iou=0.5)
    file = tmp_path / "review_sheets.csv"
    file.write_text(review_sheets_text(first.sheets), encoding="utf-8")
    before = read_review_sheets(file)
    assert review_sheets_text(before) == file.read_text(encoding="utf-8")
    after = ledger(packet(1), review(DONE[0], iteration=1, source="cvat"), before=before, iou=0.5)
    assert after.sheets["iteration"].tolist() == [0, 0, 0, 1]
    assert after.metrics["sheets"] == 1  # of this review
    (picked, random, _) = after.metrics["details"][0]["arms"]
    assert (picked["sheets"], picked["errors"], random["sheets"]) == (3, 4, 1)  # of all
    again = ledger(packet(), review(DONE[2]), before=after.sheets, iou=0.5)  # started over at 0
    assert review_sheets_text(again.sheets).splitlines()[1:] == ["0,d.png,picked,model,page,0,0,0,0,0,0,0,0,"]


def test_what_nobody_looked_at_is_counted_apart():
    first = ledger(packet(), review(*DONE), iou=0.5)
    unseen = review(
        sheet("a.png", ("door", (0, 0, 10, 10), None)), sheet("b c.png", ("sink ü", (0, 0, 10, 10), "2-1")),
        iteration=1, source="auto",
    )  # fmt: skip
    auto = ledger(packet(1), unseen, before=first.sheets, iou=0.5)
    said = with_details(auto.metrics)
    assert [said[key] for key in ("sheets", "boxes", "errors", "confirmed", "deleted")] == [0] * 5
    assert (said["prelabel_f1"], said["errors_per_box"]) == (None, None)
    assert (said["auto"], said["auto_sheets"]) == ({"sheets": 2, "boxes": 2}, 2)
    assert said["arms"] == first.metrics["details"][0]["arms"]  # as if it had not been
    assert review_lines(said) == [
        "[REVIEW] None: 2 sheets with 2 boxes went to train without a look at their labels; "
        "they count nowhere as reviewed"
    ]


def test_the_lines_that_a_person_reads():
    said = with_details(ledger(packet(), review(*DONE), iou=0.5).metrics)
    assert review_lines(said)[:2] == [
        "[REVIEW] 5 boxes: 1 confirmed, 1 moved, 1 reclassified, 1 added, 1 deleted, on the page",
        "[REVIEW] The pre-labels were right with P 0.500, R 0.500, F1 0.500; 2.0 minutes on 2 of 3 sheets, "
        "24.0 s per box",
    ]
    assert review_lines(said)[2].startswith("[REVIEW] Whether the picker is better than chance is not known yet: 1 ")
    untimed = with_details(ledger(packet(), review(DONE[2]), iou=0.5).metrics)
    assert review_lines({**untimed, "source": "coco and page"})[:2] == [
        "[REVIEW] 0 boxes, with coco and on the page",
        "[REVIEW] The pre-labels were right with P –, R –, F1 –",
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("image_id", "sheet"),
        lambda text: text.replace("0,a.png", "zero,a.png"),
        lambda text: text.replace(",90.0", ",soon"),
        lambda text: text.replace(",90.0", ",90.0,1"),
        lambda text: "",
    ],
)
def test_a_damaged_file_is_named(tmp_path, spoil):
    file = tmp_path / "review_sheets.csv"
    text = review_sheets_text(ledger(packet(), review(*DONE), iou=0.5).sheets)
    file.write_text(spoil(text), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_review_sheets(file)
    assert str(caught.value).startswith(f"{file}: expected the columns iteration, image_id, arm")
    assert str(caught.value).endswith("Restore it: git checkout metrics/review_sheets.csv")
    assert "\n" not in str(caught.value)


def test_names_that_look_like_nothing_stay_names(tmp_path):
    file = tmp_path / "review_sheets.csv"
    text = review_sheets_text(ledger(packet(), review(DONE[2]), iou=0.5).sheets)
    file.write_text(text.replace("d.png", "NA"), encoding="utf-8")
    assert read_review_sheets(file)["image_id"].tolist() == ["NA"]


def test_the_box_table_has_every_number():
    """It lies with the review in DVC's cache, as ledger.csv."""
    boxes = ledger(packet(), review(*DONE), iou=0.5).boxes
    assert boxes.loc[1, [f"after_{side}" for side in BOX]].tolist() == [52, 50, 62, 60]
    assert boxes.loc[1, "iou"] == pytest.approx(2 / 3)
    assert "arm" not in boxes.columns  # it goes with the review, which is a reviewer's


def test_random_sheets_show_how_good_the_model_is_on_the_pool():
    pictures = [
        sheet("a.png", ("door", (0, 0, 10, 10), "1-1")),
        sheet("b c.png", ("sink ü", (0, 0, 10, 10), "2-1")),  # random, but its pre-labels are the pool's own
        sheet("e.png", ("door", (0, 0, 10, 10), "4-1"), ("door", (40, 40, 50, 50), None)),
    ]
    metrics = with_details(json.loads(metrics_text(ledger(packet(), review(*pictures)).metrics)))
    found = metrics["random_prelabels"]
    assert found == {"sheets": 1, "f1": 0.666667, "f1_low": None, "f1_high": None}  # of one sheet there is no interval
    assert "[REVIEW] On 1 random sheet of the pool the model's pre-labels had F1 0.667" in review_lines(metrics)
    without = ledger(packet(), review(pictures[0])).metrics
    nothing = with_details(json.loads(metrics_text(without)))
    assert nothing["random_prelabels"] == {"sheets": 0, "f1": None, "f1_low": None, "f1_high": None}
    assert not any("random sheet of the pool the" in line for line in review_lines(nothing))


def test_minutes_add_up_over_reviews_and_are_estimated_where_no_tool_knows():
    first = ledger(packet(), review(*DONE))  # 90.04 s and 30 s, and d.png, which holds nothing: 20 s
    assert first.metrics["details"][0]["packet_minutes"] == pytest.approx((90.04 + 30 + 20) / 60, abs=0.2)
    assert first.metrics["details"][0]["minutes_so_far"] == first.metrics["details"][0]["packet_minutes"]
    second = ledger(packet(1), review(sheet("d.png", seconds=60), iteration=1), before=first.sheets)
    assert second.metrics["details"][0]["packet_minutes"] == pytest.approx(1)
    assert second.metrics["details"][0]["minutes_so_far"] == pytest.approx(1 + (90.04 + 30 + 20) / 60, abs=0.3)
    auto = ledger(packet(1), review(sheet("d.png"), iteration=1, source="auto"), before=first.sheets)
    assert auto.metrics["details"][0]["packet_minutes"] is None  # nobody looked


def test_rechecked_sheets_are_an_arm_of_their_own():
    """b c.png is one of train: one error on one box, in 20 + 4 + 6 s; a.png: two on four boxes, in 20 + 16 + 12 s."""
    arms = {**ARMS, "b c.png": "recheck"}
    made = ledger(packet(), review(*DONE), arms=arms, detections=DETECTED)
    said = with_details(made.metrics)
    assert said["errors"] == 3  # it is work of the review
    assert said["prelabels_by_origin"] == [{"labels_from": "model", "sheets": 2, **said["prelabels"]}]
    picked, random, recheck = said["arms"]
    assert (random["sheets"], random["errors_per_minute"]) == (0, None)
    assert (recheck["arm"], recheck["sheets"], recheck["boxes"], recheck["errors"]) == ("recheck", 1, 1, 1)
    cost = said["seconds"]
    assert recheck["errors_per_minute"] == pytest.approx(60 / (cost["sheet"] + cost["box"] + cost["error"]), rel=1e-5)
    both = 2 * cost["sheet"] + 4 * cost["box"] + 2 * cost["error"]  # d.png is picked, too, and empty
    assert picked["errors_per_minute"] == pytest.approx(120 / both, rel=1e-5)
    assert said["rechecked"] == ["b c.png"]
    assert said["verdict"] == with_details(ledger(packet(), review(DONE[0], DONE[2])).metrics)["verdict"]
    lines = review_lines(said)
    assert lines[-1].startswith("[REVIEW] Errors mended per minute, over all reviews: ")
    assert lines[-1].endswith(f"{recheck['errors_per_minute']:.2f} on those whose labels were checked.")
    later = ledger(packet(1), review(DONE[0], iteration=1), before=made.sheets)
    assert with_details(later.metrics)["rechecked"] == ["b c.png"]  # for ever


@pytest.mark.parametrize("arm", ["recheck", "repeat"])
def test_what_the_model_learned_from_does_not_judge_it(arm):
    boxes = [("a.png", 0, 0, 0.9, 0, 0, 10, 10), ("b c.png", 0, 0, 0.9, 0, 0, 10, 10)]
    columns = ["image_id", "detection_id", "class_id", "confidence", *BOX]
    detections = pd.DataFrame(boxes, columns=columns).assign(split="pool")
    one = ledger(packet(), review(DONE[0]), detections=detections)
    two = ledger(packet(), review(DONE[0], DONE[1]), detections=detections, arms={**ARMS, "b c.png": arm})
    assert with_details(two.metrics)["judged"] == with_details(one.metrics)["judged"]


FIRST = {  # what train has of a.png: one box alike, one that moved far, one that is not there now
    "a.png": (
        ReviewedBox("door", 0, 0, 10, 10),
        ReviewedBox("door", 60, 60, 70, 70),
        ReviewedBox("sink ü", 80, 80, 90, 90),
    )
}


def test_a_second_review_is_compared_with_the_first():
    arms = {**ARMS, "a.png": "repeat"}
    earlier = [{"iteration": 0, "image_id": "z.png", "tp": 4, "fp": 0, "fn": 1}]
    earlier.append({**earlier[0], "iteration": 2})  # of another line
    made = ledger(packet(2), review(*DONE, iteration=2), arms=arms, labels_before=FIRST, repeats=earlier)
    said = with_details(made.metrics)
    assert said["repeats"] == [earlier[0], {"iteration": 2, "image_id": "a.png", "tp": 1, "fp": 2, "fn": 2}]
    assert said["agreement"] == {"sheets": 2, "tp": 5, "fp": 2, "fn": 3, "f1": pytest.approx(10 / 15)}
    assert sorted(made.repeats["outcome"]) == ["added", "added", "confirmed", "deleted", "deleted"]
    assert review_lines(said)[-1] == (
        "[REVIEW] Reviewed a second time, 2 sheets came back with F1 0.667 beside the labels of before (5 boxes alike, "
        "2 only now, 3 only then): no F1 can be known better than that."
    )
    assert said["picked_errors"] == 0  # d.png, which is empty: a repeat is in no arm that is compared


def test_a_repeat_that_nobody_looked_at_says_nothing():
    arms = {**ARMS, "a.png": "repeat"}
    made = ledger(packet(), review(*DONE, source="auto"), arms=arms, labels_before=FIRST)
    assert with_details(made.metrics)["agreement"] == {"sheets": 0, "tp": 0, "fp": 0, "fn": 0, "f1": None}
    assert len(made.repeats) == 0


def test_of_a_part_of_the_packet_a_part_of_the_errors_was_expected(tmp_path):
    (tmp_path / "candidates.csv").write_text(
        "rank,arm,image_id,expected_errors\n1,picked,a.png,6.0\n2,picked,a.png,6.0\n3,picked,b.png,2.0\n,random,c.png,9.0\n"
    )
    expected = read_expected(tmp_path / "candidates.csv")
    assert expected == {"a.png": 6.0, "b.png": 2.0}
    forecast = {"expected_errors": 8.0, "expected_errors_low": 4.0, "expected_errors_high": 12.0, "strategy": "earned"}
    part = forecast_of_part(forecast, expected, returned=["b.png", "c.png"])
    assert part == {**forecast, "expected_errors": 2.0, "expected_errors_low": 1.0, "expected_errors_high": 3.0}
    assert forecast_of_part(forecast, expected, returned=["a.png", "b.png"]) == forecast
    nothing = {"expected_errors": None, "expected_errors_low": None, "expected_errors_high": None}
    assert forecast_of_part(nothing, {}, returned=[]) == nothing
