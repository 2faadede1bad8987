"""Pictures of a page: the right ones, small enough, and inside the page."""

import base64
import os
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from stages.analysis.analysis_tables import FINDINGS
from stages.base.boxes import BOX
from stages.base.tables import conform, write_json, write_table
from stages.dataset.sheets.split_folder import Sheet
from stages.picking.packet import PACKET, Outgoing, write_packet
from stages.report.page_pictures import MOST_ALARMS, MOST_MISSES, MOST_PACKET, SIDE, data_uri, make_pictures
from stages.report.stage_clocks import keep_seconds, kept_seconds

CLASSES = ["detail", "title"]
NOISE = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)  # what JPEG can do least with
MOST_BYTES = 5_000_000  # of a page


def decoded(uri):
    kind, data = uri.split(",")
    assert kind == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data, validate=True), np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture
def view(tmp_path):
    """A folder with two noisy sheets of val, 40 misses, 20 false alarms and a packet of 30 objects on 10 sheets."""
    rows = [
        {
            "split": split, "image_id": f"v{i % 2}.png", "outcome": outcome, "class_id": i % 2, "object_id": i,
            "detection_id": i, "confidence": i / 100, "size": "tiny", "position": "edge", "near_miss": None,
            **dict(zip(BOX, (10.0 * i, 20.0, 10.0 * i + 30, 60.0), strict=True)), "area": 1200.0 + i,
        }
        for split, outcome, count in (("val", "fn", 40), ("val", "fp", 20), ("pool", "fn", 50))
        for i in range(count)
    ]  # fmt: skip
    numbers = dict.fromkeys(["border_distance", "contrast", "aspect", "overlap_iou"], 1.0)
    flags = dict.fromkeys(["low_contrast", "unusual_aspect", "overlapping"], False)
    table = pd.DataFrame(rows).assign(**numbers, **flags)
    write_table(conform(table, FINDINGS), tmp_path / "data/analyze/findings.parquet", FINDINGS)
    for name in ("val/images/v0.png", "val/images/v1.png"):
        (tmp_path / "data/dataset" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "data/dataset" / name), NOISE)
    write_noisy_packet(tmp_path)
    return tmp_path


def write_noisy_packet(view):
    names = [f"p{i}.png" for i in range(10)]
    sheets = [Sheet(view / "pool" / name, view / "pool" / f"{name}.txt") for name in names]
    (view / "pool").mkdir()
    for sheet in sheets:
        cv2.imwrite(str(sheet.image), NOISE)
    rows = [
        {"image_id": name, "kind": "missed", "class_name": "title", "reason": f"Because {i}.", "confidence": pd.NA}
        for name in names
        for i in range(3)
    ]
    write_packet(
        [Outgoing(sheet, 600, 400) for sheet in reversed(sheets)],
        focus=pd.DataFrame(rows).assign(**dict(zip(BOX, (100.0, 100.0, 130.0, 160.0), strict=True))),
        detections=pd.DataFrame(columns=["image_id", "class_id", *BOX, "confidence"]),
        classes=CLASSES,
        iteration=0,
        seed=0,
        ruler="3f2a90bc",
        folder=view / PACKET,
    )


def test_the_packet_is_shown_in_the_order_of_the_review(view):
    shots = make_pictures(view, CLASSES, padding=50, lacking="").packet
    assert [shot.rank for shot in shots[:4]] == [1, 1, 1, 2]
    assert [shot.lines for shot in shots[2:4]] == [["Because 2.", "p9.png"], ["Because 0.", "p8.png"]]
    assert {shot.title for shot in shots} == {"title, missed"}


def test_a_packet_without_its_pictures_keeps_its_words(view):
    shutil.rmtree(view / PACKET / "images")
    (view / PACKET / "crops/001_02_p9.jpg").unlink()
    shots = make_pictures(view, CLASSES, padding=50, lacking="").packet
    assert [shot.picture is None for shot in shots[:3]] == [False, True, False]
    assert shots[1].lines == ["Because 1.", "p9.png"]


def test_so_many_and_the_right_ones(view):
    pictures = make_pictures(view, CLASSES, padding=50, lacking="nothing here")
    assert (len(pictures.misses), len(pictures.alarms), len(pictures.packet)) == (MOST_MISSES, MOST_ALARMS, MOST_PACKET)
    assert pictures.note == ""
    assert [shot.lines[0] for shot in pictures.alarms[:2]] == ["19% sure", "18% sure"]
    assert {shot.title for shot in pictures.misses} == set(CLASSES)


def test_they_fit_into_a_page_even_if_they_are_noise(view):
    pictures = make_pictures(view, CLASSES, padding=50, lacking="")
    uris = [shot.picture for shot in (*pictures.misses, *pictures.alarms, *pictures.packet)]
    assert all(max(decoded(uri).shape) == SIDE for uri in uris)
    assert sum(map(len, uris)) < MOST_BYTES - 100_000


def test_the_frame_is_round_the_box(view):
    cv2.imwrite(str(view / "data/dataset/val/images/v0.png"), np.full((400, 600, 3), 255, np.uint8))
    shot = next(
        shot for shot in make_pictures(view, CLASSES, padding=50, lacking="").misses if shot.lines[-1] == "v0.png"
    )
    blue, _, red = decoded(shot.picture).astype(int).transpose(2, 0, 1)
    assert (red - blue > 40).sum() > 100


@pytest.mark.parametrize("box", [(-40, -40, -20, -30), (-900, -900, -800, -800), (700, 500, 720, 520), (5, 5, 5, 5)])
def test_a_box_may_lie_outside_the_sheet(view, box):
    file = view / "data/analyze/findings.parquet"
    table = pd.read_parquet(file)
    table[BOX] = [float(value) for value in box]
    write_table(conform(table, FINDINGS), file, FINDINGS)
    assert all(
        max(decoded(shot.picture).shape) == SIDE for shot in make_pictures(view, CLASSES, padding=0, lacking="").misses
    )


def test_what_is_missing_is_no_error(view):
    (view / "data/dataset/val/images/v1.png").unlink()
    shots = make_pictures(view, CLASSES, padding=50, lacking="").misses
    assert {shot.picture is None for shot in shots if shot.lines[-1] == "v1.png"} == {True}
    assert {shot.picture is None for shot in shots if shot.lines[-1] == "v0.png"} == {False}
    (view / "data/analyze/findings.parquet").unlink()
    assert make_pictures(view, CLASSES, padding=50, lacking="nothing here").note == "nothing here"


@pytest.mark.parametrize("shape", [(40, 60), (1000, 20), (3, 2000)])
def test_a_picture_is_never_enlarged(shape):
    image = decoded(data_uri(np.zeros((*shape, 3), np.uint8)))
    assert max(image.shape) == min(max(shape), SIDE)


def test_seconds_are_those_of_this_iteration(tmp_path):
    for stage, seconds, ran in (("train", 92.4, 2000), ("validate", 3.0, 900)):
        write_json({"seconds": seconds}, tmp_path / f"logs/{stage}/seconds.json")
        os.utime(tmp_path / f"logs/{stage}/seconds.json", (ran, ran))
    keep_seconds(tmp_path, 3, since=1000)  # validate came from the cache: it ran before this iteration
    keep_seconds(tmp_path, 4, since=3000)
    assert kept_seconds(tmp_path) == {3: {"train": 92.4}}
    keep_seconds(tmp_path, 2, since=0)
    assert kept_seconds(tmp_path)[2] == {"train": 92.4, "validate": 3.0}
