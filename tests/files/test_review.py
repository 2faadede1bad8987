"""A reviewed folder comes in many shapes; what cannot be trusted is refused with its place."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.core.errors import UserError
from stages.files.review import read_folder, read_oracle
from tests.fake_project import write_files

CLASSES = ("detail", "elevation", "title")
PACKET = ["a.jpg", "b.png", "plan 2.1.jpg"]
ROW = "0 0.5 0.5 0.2 0.1\n"


def export(folder: Path, files: dict[str, str], names: str = "[detail, elevation, title]") -> Path:
    write_files(folder, {"data.yaml": f"names: {names}\n", **files})
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {"images/a.jpg": "", "labels/a.txt": ROW},
        {"train/images/a.jpg": "", "train/labels/a.txt": ROW},
        {"valid/images/a.jpg": "", "valid/labels/a.txt": ROW},
        {"images/train/a.jpg": "", "labels/train/a.txt": ROW},
        {"images/a.jpeg": "", "labels/a.txt": ROW},  # another ending
        {"train/images/a_jpg.rf.0a1B2c.jpg": "", "train/labels/a_jpg.rf.0a1B2c.txt": ROW},
        {"images/a.jpg": "", "labels/a.txt": "\ufeff" + ROW.replace("\n", "\r\n")},
        {"images/a.jpg": "", "labels/a.txt": ROW, "labels/c.txt": ROW},  # a label file without an image
    ],
)
def test_layouts(tmp_path: Path, files: dict[str, str]) -> None:
    review = read_folder(export(tmp_path, files), PACKET, CLASSES)
    assert [sheet.image_id for sheet in review.reviewed] == ["a.jpg"]
    assert review.reviewed[0].class_id.tolist() == [0]
    np.testing.assert_allclose(review.reviewed[0].xywhn, [[0.5, 0.5, 0.2, 0.1]])
    assert review.missing == ["b.png", "plan 2.1.jpg"]


def test_roboflow_changes_the_ending_and_the_punctuation(tmp_path: Path) -> None:
    names = ("b_png.rf.abc.jpg", "plan-2-1_jpg.rf.abc.jpg")
    review = read_folder(export(tmp_path, {f"train/images/{name}": "" for name in names}), PACKET, CLASSES)
    assert [sheet.image_id for sheet in review.reviewed] == ["b.png", "plan 2.1.jpg"]


@pytest.mark.parametrize(
    ("exported", "packet", "sheet"),
    [
        ("a_b_jpg.rf.x1.jpg", ["a-b.jpg", "a_b.jpg"], "a_b.jpg"),  # the closest wins
        ("a-b_jpg.rf.x1.jpg", ["a b.jpg", "a_b.jpg"], None),  # one of two: nobody knows
        ("Mo\u0308bel.jpg", ["M\u00f6bel.jpg"], "M\u00f6bel.jpg"),  # as a Mac writes it
        ("M\u00f6bel-plan_jpg.rf.1a.jpg", ["M\u00f6bel plan.jpg"], "M\u00f6bel plan.jpg"),
        ("a_jpg.rf.new_jpg.rf.def.jpg", ["a_jpg.rf.new.jpg", "a_jpg.rf.old.jpg"], "a_jpg.rf.new.jpg"),
        ("a_jpg.rf.def.jpg", ["a_jpg.rf.abc.jpg", "b_jpg.rf.abc.jpg"], "a_jpg.rf.abc.jpg"),  # its own earlier export
        ("a_jpg.rf.def.jpg", ["a_jpg.rf.abc.jpg", "a_png.rf.abc.jpg"], None),
    ],
)
def test_names_that_an_export_has_changed(tmp_path: Path, exported: str, packet: list[str], sheet: str | None) -> None:
    folder = export(tmp_path, {f"images/{exported}": "", f"labels/{Path(exported).stem}.txt": ROW})
    if sheet is None:
        with pytest.raises(UserError, match="which is not in it"):
            read_folder(folder, packet, CLASSES)
    else:
        assert [(one.image_id, len(one.class_id)) for one in read_folder(folder, packet, CLASSES).reviewed] == [
            (sheet, 1)
        ]


def test_sheets_of_earlier_reviews_are_passed_over(tmp_path: Path) -> None:
    files = {"images/a.jpg": "", "labels/a.txt": ROW, "images/old_jpg.rf.1a.jpg": "", "labels/old_jpg.rf.1a.txt": "9"}
    review = read_folder(export(tmp_path, files), PACKET, CLASSES, train=["old.jpg"])
    assert [sheet.image_id for sheet in review.reviewed] == ["a.jpg"]
    assert review.passed_over == ["old_jpg.rf.1a.jpg"]


def test_a_class_that_nobody_used_does_no_harm(tmp_path: Path) -> None:
    folder = export(tmp_path, {"images/a.jpg": "", "labels/a.txt": "1" + ROW[1:]}, "[spare, detail]")
    assert read_folder(folder, PACKET, CLASSES).reviewed[0].class_id.tolist() == [0]


def test_what_a_mac_adds_is_no_sheet(tmp_path: Path) -> None:
    folder = export(tmp_path, {"images/a.jpg": "", "images/._a.jpg": "", "labels/a.txt": ROW, "labels/._a.txt": "x"})
    assert [one.image_id for one in read_folder(folder, PACKET, CLASSES).reviewed] == ["a.jpg"]


@pytest.mark.parametrize("names", ["[title, detail, elevation]", "{0: title, 1: detail, 2: elevation}"])
def test_classes_in_another_order(tmp_path: Path, names: str) -> None:
    rows = "0 0.5 0.5 0.2 0.1\n1 0.5 0.5 0.2 0.1\n2 0.5 0.5 0.2 0.1\n"
    review = read_folder(export(tmp_path, {"images/a.jpg": "", "labels/a.txt": rows}, names), PACKET, CLASSES)
    assert review.reviewed[0].class_id.tolist() == [2, 0, 1]


@pytest.mark.parametrize("files", [{"images/a.jpg": ""}, {"images/a.jpg": "", "labels/a.txt": ""}])
def test_reviewed_and_empty_is_not_missing(tmp_path: Path, files: dict[str, str]) -> None:
    review = read_folder(export(tmp_path, files), PACKET, CLASSES)
    assert [(sheet.image_id, len(sheet.class_id), sheet.xywhn.shape) for sheet in review.reviewed] == [
        ("a.jpg", 0, (0, 4))
    ]
    assert "a.jpg" not in review.missing


def test_a_polygon_becomes_the_box_around_it(tmp_path: Path) -> None:
    rows = ROW + "2 0.1 0.2 0.5 0.2 0.3 0.6\n"
    review = read_folder(export(tmp_path, {"images/a.jpg": "", "labels/a.txt": rows}), PACKET, CLASSES)
    np.testing.assert_allclose(review.reviewed[0].xywhn[1], [0.3, 0.4, 0.4, 0.4])
    assert review.polygons == 1


@pytest.mark.parametrize(
    ("files", "names", "complaint"),
    [
        ({"images/a.jpg": "", "labels/a.txt": ROW + "0 0.5\n"}, None, "labels/a.txt:2: expected five numbers"),
        ({"images/a.jpg": "", "labels/a.txt": "\n7 0.5 0.5 0.1 0.1\n"}, None, "labels/a.txt:2: expected a class"),
        ({"images/a.jpg": "", "labels/a.txt": "0 50 50 20 20\n"}, None, "labels/a.txt:1: expected centre and size"),
        ({"images/a.jpg": "", "labels/a.txt": "0 0.5 0.5 0 0.1\n"}, None, "labels/a.txt:1: expected centre and size"),
        ({"images/a.jpg": "", "labels/a.txt": "0 nan 0.5 0.1 0.1\n"}, None, "labels/a.txt:1: expected five numbers"),
        ({"images/val1.jpg": ""}, None, "found val1.jpg, which is not in it"),
        ({"train/images/a.jpg": "", "valid/images/a_jpg.rf.x1.jpg": ""}, None, "found a.jpg a second time"),
        ({"images/a.jpg": "", "labels/a.txt": "1" + ROW[1:]}, "[detail, door]", "labels/a.txt: expected the classes"),
        ({"images/a.jpg": ""}, "3", "data.yaml: expected names: a list"),
        ({"labels/a.txt": ROW}, None, "found no image in these"),
    ],
)
def test_bad_exports(tmp_path: Path, files: dict[str, str], names: str | None, complaint: str) -> None:
    folder = export(tmp_path, files, names or "[detail, elevation, title]")
    with pytest.raises(UserError) as caught:
        read_folder(folder, PACKET, CLASSES)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("prepare", "found"),
    [
        (lambda folder: None, "found no folder"),
        (lambda folder: folder.mkdir(), "found an empty folder"),
        (lambda folder: write_files(folder, {"export.zip": ""}), "data.yaml: expected the class names, found no file"),
        (lambda folder: folder.write_text("x"), "found no folder"),
    ],
)
def test_no_folder(tmp_path: Path, prepare: Callable[[Path], object], found: str) -> None:
    prepare(tmp_path / "review")
    with pytest.raises(UserError, match=re.escape(found)):
        read_folder(tmp_path / "review", PACKET, CLASSES)


def test_oracle_takes_held_back_labels_before_the_pools_own(tmp_path: Path) -> None:
    write_files(tmp_path / "data/oracle/labels", {"a.txt": ROW, "b.txt": ""})
    write_files(tmp_path / "data/dataset/pool/labels", {"a.txt": "", "plan 2.1.txt": "2 0.5 0.5 0.3 0.3\n"})
    found = {sheet.image_id: sheet.class_id.tolist() for sheet in read_oracle(PACKET, CLASSES, tmp_path)}
    assert found == {"a.jpg": [0], "b.png": [], "plan 2.1.jpg": [2]}
    with pytest.raises(UserError, match="held back for z"):
        read_oracle(["z.jpg"], CLASSES, tmp_path)
