"""What is written to train on: windows with their labels, and the sheet as a whole."""

import cv2
import numpy as np

from stages.dataset.sheets.split_folder import Labels, Sheet, read_labels
from stages.detector.training.window_view import GREY, count_windows, drawn, hidden, write_windows

CLASSES = ("door", "sink")


def sheet(tmp_path, name, *, size, boxes):
    """Write a noisy sheet of size x size px, with boxes (class, x1, y1, x2, y2)."""
    pixels = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
    image, label = tmp_path / f"{name}.png", tmp_path / f"{name}.txt"
    cv2.imwrite(str(image), pixels)
    rows = [
        (c, (x1 + x2) / 2 / size, (y1 + y2) / 2 / size, (x2 - x1) / size, (y2 - y1) / size)
        for c, x1, y1, x2, y2 in boxes
    ]
    label.write_text("".join(f"{' '.join(map(str, row))}\n" for row in rows))
    return Sheet(image, label), pixels


def test_pixels_under_each_label_are_those_of_the_object(tmp_path):
    boxes = [(0, 20, 20, 40, 40), (1, 400, 300, 430, 310), (0, 10, 480, 20, 500)]
    one, pixels = sheet(tmp_path, "a", size=500, boxes=boxes)
    found = drawn(pixels, read_labels(one.label, CLASSES), side=128, imgsz=128, rng=np.random.default_rng(0))
    seen = set()
    for view in found[:-1]:
        assert view.pixels.shape == (128, 128, 3)
        for key, (x, y, w, h) in zip(view.labels.class_id, view.labels.xywhn * 128, strict=True):
            part = view.pixels[round(y - h / 2) : round(y + h / 2), round(x - w / 2) : round(x + w / 2)]
            seen |= {
                i
                for i, (c, x1, y1, x2, y2) in enumerate(boxes)
                if c == key and np.array_equal(part, pixels[y1:y2, x1:x2])
            }
    assert seen == {0, 1, 2}
    assert found[-1].pixels.shape == (128, 128, 3)
    assert len(found[-1].labels.class_id) == 3


def test_what_is_hidden_is_grey_and_what_is_shown_is_not():
    pixels = np.full((50, 50, 3), 7, np.uint8)
    found = hidden(pixels, np.array([[40.5, 10.0, 50.0, 20.0]]), np.array([[44.0, 5.0, 48.0, 15.0]]))
    grey = (found == GREY).all(2)
    assert grey[10:20, 40:50].sum() == 100 - 4 * 5
    assert grey.sum() == 80
    assert (pixels == 7).all()
    assert not (hidden(pixels, np.zeros((0, 4)), np.zeros((0, 4))) == GREY).any()


def test_files_are_numbered_counted_beforehand_and_the_same_again(tmp_path):
    sheets = [
        sheet(tmp_path, name, size=size, boxes=[(0, 20, 20, 40, 40)])[0] for name, size in (("a", 500), ("a-0000", 90))
    ]
    how = {"side": 128, "imgsz": 128}
    views = write_windows(sheets, tmp_path / "one", CLASSES, rng=np.random.default_rng(4), **how)
    again = write_windows(sheets, tmp_path / "two", CLASSES, rng=np.random.default_rng(4), **how)
    assert [view.image_id for view in views] == [
        "000000-0000.png",
        "000000-0001.png",
        "000000-0002.png",
        "000001-0000.png",
    ]
    assert len(views) == count_windows(sheets, CLASSES, side=128, rng=np.random.default_rng(4))
    for a, b in zip(views, again, strict=True):
        assert a.image.read_bytes() == b.image.read_bytes()
        assert a.label.read_bytes() == b.label.read_bytes()
    assert [len(read_labels(view.label, CLASSES).class_id) for view in views] == [1, 0, 1, 1]
    assert cv2.imread(str(views[-1].image)).shape == (90, 90, 3)


def test_a_sheet_without_labels_is_background(tmp_path):
    pixels = np.zeros((300, 300, 3), np.uint8)
    found = drawn(pixels, Labels(np.zeros(0, int), np.zeros((0, 4))), side=100, imgsz=640, rng=np.random.default_rng(0))
    assert [len(view.labels.class_id) for view in found] == [0, 0]
    assert found[-1].pixels.shape == (300, 300, 3)  # no larger than it is
