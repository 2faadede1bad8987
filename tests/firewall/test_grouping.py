"""Groups come from a pattern or a list; an import keeps them and copies of one sheet in one role."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.base.errors import UserError
from stages.firewall.grouping import read_groups
from stages.firewall.kinship import copies_among
from stages.firewall.leak_check import leak_findings
from stages.intake.import_report import report
from stages.intake.import_source import ImportOptions, read_sheets
from tests.fake_project import picture, write_files

NAMES = ["tower_page_1.png", "tower_page_2.png", "bridge_page_1.png", "cover.jpg"]


def test_a_pattern_names_the_group_in_its_brackets():
    assert read_groups(NAMES, pattern=r"^(.+)_page_\d+", file=None) == {
        "tower_page_1.png": "tower",
        "tower_page_2.png": "tower",
        "bridge_page_1.png": "bridge",
    }


def test_a_list_wins_over_the_pattern_and_knows_stems_and_paths(tmp_path):
    file = tmp_path / "groups.csv"
    file.write_text("image,group\r\nscans/cover,tower\r\n\r\ntower_page_2.png, 'annex, north'\r\n".replace("'", '"'))
    assert read_groups(NAMES, pattern="^(tower)", file=file) == {
        "tower_page_1.png": "tower",
        "tower_page_2.png": "annex, north",
        "cover.jpg": "tower",
    }


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("tower", "expected one pair of brackets around the group, found 0"),
        ("(a)(b)", "found 2"),
        ("(", "expected a regular expression"),
        ("^(palace)", "found no image, and not tower_page_1.png"),
    ],
)
def test_a_pattern_that_is_none(pattern, says):
    with pytest.raises(UserError, match=re.escape(f"--group-pattern {pattern}: ")) as caught:
        read_groups(NAMES, pattern=pattern, file=None)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("image,group\npalace.png,x\n", 2),
        ("palace.png,x\n", 1),
        ("cover.jpg,\n", 1),
        ("cover.jpg\n", 1),
        ("cover.jpg,a\ncover,b\n", 2),
        ("cover.jpg,a,b\n", 1),
    ],
)
def test_a_line_that_names_no_image_or_no_group(tmp_path, text, line):
    (tmp_path / "groups.csv").write_text(text)
    with pytest.raises(UserError, match=rf"groups\.csv:{line}: expected image name, group"):
        read_groups(NAMES, pattern=None, file=tmp_path / "groups.csv")


def test_no_list():
    with pytest.raises(UserError, match=r"--groups nowhere\.csv: expected a CSV file, found no file"):
        read_groups(NAMES, pattern=None, file=Path("nowhere.csv"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Eight sheets of train, two of val; copy.jpg in train is val_1 once more, encoded anew."""
    folder = tmp_path / "source"
    for split, count in (("train", 8), ("val", 2)):
        (folder / "images" / split).mkdir(parents=True)
        for i in range(count):
            assert cv2.imwrite(str(folder / f"images/{split}/{split}_{i}.png"), picture(f"{split}_{i}"))
            write_files(folder / "labels" / split, {f"{split}_{i}.txt": "0 0.5 0.5 0.2 0.2\n"})
    (folder / "data.yaml").write_text("names: [door]\n")
    jpeg = cv2.imencode(".jpg", picture("val_1"), [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    (folder / "images/train/copy.jpg").write_bytes(jpeg.tobytes())
    return folder


def test_a_split_that_leaks_is_refused_and_regroup_mends_it(source):
    with pytest.raises(UserError) as caught:
        read_sheets(source, ImportOptions())
    assert str(caught.value).startswith(f"{source}/images/val/val_1.png: expected no sheet of val in train, found ")
    assert "images/train/copy.jpg, a copy of it. With --regroup" in str(caught.value)
    read = read_sheets(source, ImportOptions(regroup=True))
    assert read.assignment.roles["val"] == ("val_0.png", "val_1.png")
    assert read.assignment.left_out == ("copy.jpg",)
    assert "copy.jpg" not in read.labels
    read = read_sheets(source, ImportOptions(regroup=True, group_pattern=r"^((?:train|val)_1)\."))
    assert read.assignment.roles["val"] == ("val_0.png", "val_1.png")


def test_one_of_each_leaves_copies_out_and_says_which_stays(source):
    image = source / "images/train/train_3.png"
    image.with_name("again.png").write_bytes(image.read_bytes())
    read = read_sheets(source, ImportOptions(one_of_each=True, pool="0.5"))
    assert read.assignment.spare == {"again.png": "train_3.png", "copy.jpg": "val_1.png"}
    assert {role: len(names) for role, names in read.assignment.roles.items()} == {
        "train": 4,
        "val": 2,
        "test": 0,
        "pool": 4,
    }
    lines = report(read.source, read.assignment, read.labels, oracle=False)
    said = "one of each: 2 copies are left out: again.png (train_3.png stays), copy.jpg (val_1.png stays)"
    assert said in lines
    assert not [line for line in lines if line.startswith("not used")]


def test_shares_that_leave_nothing_are_refused_before_a_picture_is_compared(source, monkeypatch):
    monkeypatch.setattr("stages.intake.import_source.copies_among", pytest.fail)
    with pytest.raises(UserError, match=r"expected shares of less than 1 together, found 0\.3 \+ 0\.7"):
        read_sheets(source, ImportOptions(val="0.3", pool="0.7"))


def test_a_group_that_is_on_two_sides_is_refused_and_follows_val(source):
    (source / "images/train/copy.jpg").unlink()
    options = ImportOptions(group_pattern=r"_([01])\.")
    with pytest.raises(UserError, match=r"val_0\.png: .*found .*train_0\.png, of the group 0 as well \(1 more like"):
        read_sheets(source, options)
    read = read_sheets(source, options._replace(regroup=True))
    assert read.assignment.roles["val"] == ("train_0.png", "train_1.png", "val_0.png", "val_1.png")
    assert read.assignment.followed == ("train_0.png", "train_1.png")


def test_shares_are_drawn_by_sheet_and_its_copies(source):
    """With 11 sheets in one heap, the two that are one never part."""
    for image in (source / "images/val").iterdir():
        image.rename(source / "images/train" / image.name)
        label = source / "labels/val" / f"{image.stem}.txt"
        label.rename(source / "labels/train" / label.name)
    for seed in range(6):
        roles = read_sheets(source, ImportOptions(val="0.3", pool="0.3", seed=seed)).assignment.roles
        assert len({role for role, names in roles.items() if {"copy.jpg", "val_1.png"} & set(names)}) == 1
        assert sum(map(len, roles.values())) == 11


def test_the_check_names_leaks_and_copies_on_one_side(source):
    images = {split: sorted((source / "images" / split).iterdir()) for split in ("train", "val")}
    twin = source / "images/train/twin.png"
    twin.write_bytes((source / "images/train/train_3.png").read_bytes())
    blank = [source / f"images/val/blank_{i}.png" for i in range(2)]
    for file in blank:
        assert cv2.imwrite(str(file), np.full((9, 9), 255, np.uint8))
    splits = {"train": [*images["train"], twin], "val": [*images["val"], *blank]}
    files = {file.name: file for found in splits.values() for file in found}
    boxes = {"train_3.png": np.array([1, 0]), "twin.png": np.array([0, 1]), "val_1.png": np.array([2, 0])}
    found = leak_findings(splits, copies_among(files), boxes=boxes)
    assert [(one.severity, one.code, one.file.name) for one in found] == [
        ("error", "leak", "val_1.png"),
        ("warning", "copy", "blank_0.png"),
        ("warning", "copy", "train_3.png"),
        ("warning", "copy-labels", "train_3.png"),
    ]
    assert str(found[0]).endswith("`yoloop data import --regroup` keeps those of val and test.")


def test_a_list_in_another_encoding(tmp_path):
    (tmp_path / "groups.csv").write_bytes("cover.jpg,Brücke\n".encode("latin-1"))
    with pytest.raises(UserError, match="expected a CSV file in UTF-8"):
        read_groups(NAMES, pattern=None, file=tmp_path / "groups.csv")
