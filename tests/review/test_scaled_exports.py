"""An export whose boxes are in another scale is refused; one that lost most boxes is taken in only with a word."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.base.boxes import xyxy_to_xywhn
from stages.base.errors import UserError
from stages.iteration.advance import advance
from stages.picking.packet import PACKET, Packet, read_packet
from stages.review.kept.kept_review import REVIEW, ReviewedBox, read_review
from stages.review.review_import import import_review
from stages.review.review_status import status_lines
from tests import fake_project
from tests.refusal import contents, refs
from tests.review import exports as e
from tests.reviews import review_packet

Projects = Callable[[], Path]
Corners = tuple[float, ...]
Change = Callable[[Corners], Corners]
pytestmark = pytest.mark.slow


def times(factor: float) -> Change:
    return lambda box: tuple(side * factor for side in box)


def around(factor: float) -> Change:
    """Return what makes a box `factor` times as wide and high around its centre."""

    def change(box: Corners) -> Corners:
        (x1, y1, x2, y2), away = box, (1 - factor) / 2
        w, h = (x2 - x1) * away, (y2 - y1) * away
        return x1 + w, y1 + h, x2 - w, y2 - h

    return change


def by_hand(box: Corners) -> Corners:
    """Return a box whose left and upper sides were moved, by more or less with its place."""
    x1, y1, x2, y2 = box
    return x1 + 1 + x1 / 11, y1 + 1 + y1 / 17, x2, y2


def yolo(packet: Packet, folder: Path, boxes: Sequence[Corners]) -> Path:
    rows = xyxy_to_xywhn(np.array(boxes), width=e.SIDE, height=e.SIDE)
    text = "".join(f"2 {' '.join(f'{value:.6f}' for value in row)}\n" for row in rows)
    return e.yolo(folder, [(name, data, text) for name, data, _ in e.done(packet)])


def resized_yolo(packet: Packet, folder: Path, boxes: Sequence[Corners]) -> Path:
    """Write what a tool does that halves the pictures, and the boxes with them."""
    yolo(packet, folder, boxes)
    for picture in folder.glob("*/images/*"):
        picture.write_bytes(e.resized(picture.read_bytes(), e.SIDE // 2, e.SIDE // 2))
    return folder


def coco(packet: Packet, folder: Path, boxes: Sequence[Corners], *, side: int = e.SIDE) -> Path:
    content = e.coco(packet)
    content["images"] = [{**one, "width": side, "height": side} for one in content["images"]]
    content["annotations"] = [
        {"id": 100 * image["id"] + number, "image_id": image["id"], "category_id": 3, "bbox": [x, y, x2 - x, y2 - y]}
        for image in content["images"]
        for number, (x, y, x2, y2) in enumerate(boxes)
    ]
    return e.put(folder / "a.json", content)


def half_coco(packet: Packet, folder: Path, boxes: Sequence[Corners]) -> Path:
    """Write boxes on pictures of half the size, and say so."""
    return coco(packet, folder, [times(0.5)(box) for box in boxes], side=e.SIDE // 2)


def taken(root: Path, export: Path) -> list[str]:
    return import_review(root, export, say=lambda text: None).splitlines()


MEND = "Export in the original size, the boxes with the pictures as they went out."
CORNER = "where all four sides are {} times those of a box that went out"
CENTRE = "where width and height are {} times those of a box that went out, around the same centre"


@pytest.mark.parametrize("make", [yolo, coco, resized_yolo, half_coco])
@pytest.mark.parametrize(
    ("change", "how"),
    [
        (times(0.5), CORNER.format("0.50")),
        (around(0.5), CENTRE.format("0.50")),
        (times(0.8), CORNER.format("0.80")),
        (around(1.25), CENTRE.format("1.25")),
    ],
    ids=["half of all sides", "half of the lengths", "0.8 of all sides", "1.25 of the lengths"],
)
def test_boxes_in_another_scale_are_refused(many_boxes: Projects, tmp_path, make, change: Change, how: str) -> None:
    root = many_boxes()
    export = make(read_packet(root / PACKET), tmp_path / "EXPORT", [change(box) for box in e.SIX])
    before = (contents(root), refs(root))
    with pytest.raises(UserError) as caught:
        taken(root, export)
    assert str(caught.value) == f"{export}: expected boxes in the size of the sheets, found 18 of 18 {how}. {MEND}"
    assert (contents(root), refs(root)) == before


@pytest.mark.parametrize("make", [yolo, coco, resized_yolo, half_coco])
def test_boxes_that_a_person_resized_are_taken(many_boxes: Projects, tmp_path: Path, make) -> None:
    root = many_boxes()
    lines = taken(root, make(read_packet(root / PACKET), tmp_path / "EXPORT", [by_hand(box) for box in e.SIX]))
    assert "changes   18 boxes: 18 resized" in lines
    assert "next      yoloop advance (or yoloop run, which goes on by itself)" in lines


def mostly_gone(root: Path, folder: Path) -> list[str]:
    """Import an export that holds one box of six on each sheet."""
    return taken(root, coco(read_packet(root / PACKET), folder, e.SIX[:1]))


def test_a_review_that_lost_most_boxes_asks_for_a_word(many_boxes: Projects, tmp_path: Path) -> None:
    root = many_boxes()
    lines = mostly_gone(root, tmp_path / "EXPORT")
    assert lines[-2:] == [
        "doubtful  15 of 18 boxes that went out are gone: is it an export of these sheets in this size?",
        "next      if it is a wrong export: yoloop review reset; if they are rightly gone: "
        "yoloop advance --accept-deletions",
    ]
    before = (contents(root), refs(root))
    with pytest.raises(UserError) as caught:
        advance(root, reviewer="person")
    assert str(caught.value) == (
        f"{root / REVIEW}: expected more of the boxes that went out to be left, found 15 of 18 gone from what was "
        "imported. If the export was wrong: yoloop review reset, and import the right one; if they are rightly gone: "
        "yoloop advance --accept-deletions"
    )
    assert (contents(root), refs(root)) == before
    assert "3 sheets with 3 boxes moved" in advance(root, reviewer="person", accept_deletions=True)


def test_run_ends_there_too_and_the_word_is_an_option(many_boxes: Projects, tmp_path: Path) -> None:
    root = many_boxes()
    mostly_gone(root, tmp_path / "EXPORT")
    for command in ("run", "advance"):
        done = yoloop(root, tmp_path, command)
        assert done.returncode == 2, done.stdout
        assert done.stderr.startswith(
            f"error: {Path('data/review')}: expected more of the boxes that went out to be left"
        )
        assert len(done.stderr.splitlines()) == 1
    done = yoloop(root, tmp_path, "advance", "--accept-deletions")
    assert done.returncode == 0, done.stderr
    assert "Iteration 1 starts: 3 sheets with 3 boxes" in done.stdout


def yoloop(root: Path, home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stages.loop", *args],
        cwd=root,
        env={**fake_project.environment(home), "PYTHONPATH": str(fake_project.REPO)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("left", "sheets", "asked"),
    [(2, 3, False), (1, 3, True), (0, 2, True), (0, 1, False)],
    ids=["two thirds are gone", "five sixths are gone", "12 went out", "6 went out"],
)
def test_more_than_four_fifths_of_ten_boxes(many_boxes: Projects, left: int, sheets: int, asked: bool) -> None:
    """Of six on each sheet; on our page a person deleted each of them."""
    root = many_boxes()
    boxes = [ReviewedBox("title", *box) for box in e.SIX[:left]]
    drawn = dict.fromkeys(["p1.jpg", "p2.jpg", "p3.jpg"][:sheets], boxes)
    review_packet(root, drawn, source="coco")
    assert any(line.startswith("doubtful") for line in status_lines(root)) == asked
    review_packet(root, drawn, source="coco and page")
    assert not any(line.startswith("doubtful") for line in status_lines(root))
    review_packet(root, drawn, source="page")
    assert not any(line.startswith("doubtful") for line in status_lines(root))
    assert read_review(root / REVIEW).tools == "page"
    assert "moved from pool to train" in advance(root, reviewer="person", partial=True, accept_deletions=False)
