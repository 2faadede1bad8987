"""What a repaired copy holds, to the pixel and to the row; and that any mixture of faults is repaired."""

import csv
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from stages.base.decoding import read_bgr
from stages.base.errors import UserError
from stages.intake.contract.image_checks import upright
from stages.intake.dataset_check import check_data
from stages.intake.import_source import ImportOptions, read_sheets
from tests.intake.contract import datasets as s
from tests.intake.contract.test_bad_datasets import root, said

__all__ = ["root"]  # the fixture
COPY = Path("images/train/train_1.png")


def repaired(root: Path, source: Path, spoil: s.Spoil) -> Path:
    spoil(source)
    check_data(root, source, fix=source.parent / "repaired")
    return source.parent / "repaired"


def enlarged(source: Path) -> None:
    """Store the picture ten times as large: px are then too large for per cent."""
    s.save(source / s.IMAGE, cv2.resize(s.pixels(1), None, fx=10, fy=10))


def labels(folder: Path, stem: str = "train_1") -> list[list[float]]:
    text = (folder / f"labels/train/{stem}.txt").read_text()
    return [[float(value) for value in row.split()] for row in text.splitlines()]


def test_the_three_formats_hold_the_same(tmp_path):
    reads = [read_sheets(build(tmp_path / kind), ImportOptions()) for kind, build in s.BUILD.items()]
    assert [read.kind for read in reads] == ["YOLO folder", "COCO JSON", "Pascal VOC"]
    for read in reads:
        assert read.source.classes == s.NAMES
        assert read.assignment.roles == reads[0].assignment.roles
        assert {name: one.text for name, one in read.labels.items()} == {
            name: one.text for name, one in reads[0].labels.items()
        }
    assert len(reads[0].labels) == 6


@pytest.mark.parametrize("layout", ["year folders", "one folder"])
def test_coco_as_coco_has_it(tmp_path, layout):
    """`annotations/instances_train2017.json` with the images in `images/train2017`, or all in `images`."""
    source, old = tmp_path / "SET", s.coco(tmp_path / "old")
    for split, ours in (("train", "train"), ("valid", "val"), ("test", "test")):
        folder = source / "images" / (f"{ours}2017" if layout == "year folders" else "")
        folder.mkdir(parents=True, exist_ok=True)
        for image in (old / split).glob("*.jpg"):
            shutil.copy(image, folder)
        (source / "annotations").mkdir(exist_ok=True)
        shutil.copy(old / split / "_annotations.coco.json", source / f"annotations/instances_{ours}2017.json")
    assert read_sheets(source, ImportOptions()).assignment == read_sheets(old, ImportOptions()).assignment


def test_voc_as_voc_has_it(tmp_path):
    """`Annotations` and `JPEGImages`, with the splits in `ImageSets/Main`."""
    source, old = tmp_path / "SET", s.voc(tmp_path / "old")
    for kind, suffix in (("Annotations", "xml"), ("JPEGImages", "jpg")):
        (source / kind).mkdir(parents=True)
        for file in old.glob(f"*/*.{suffix}"):
            shutil.copy(file, source / kind)
    shutil.copy(old / "classes.txt", source)
    for split in s.COUNTS:
        s.put(
            source / f"ImageSets/Main/{split}.txt", "".join(f"{stem}\n" for own, stem, _ in s.stems() if own == split)
        )
    new, before = read_sheets(source, ImportOptions()), read_sheets(old, ImportOptions())
    assert new.assignment == before.assignment
    assert {name: one.text for name, one in new.labels.items()} == {
        name: one.text for name, one in before.labels.items()
    }


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_what_exif_turns_is_stored_as_it_was_read(root, tmp_path, orientation, suffix):
    source = s.yolo(tmp_path / "SET")
    options = {"lossless": True} if suffix == ".webp" else {}
    folder = repaired(root, source, s.stored(lambda image: image, suffix, exif=s.turned(orientation), **options))
    seen = read_bgr((source / s.IMAGE).with_suffix(suffix))
    assert np.array_equal(read_bgr(folder / COPY), seen)
    assert seen.shape[:2] == ((s.WIDTH, s.HEIGHT) if orientation > 4 else (s.HEIGHT, s.WIDTH))
    with Image.open(folder / COPY) as image:
        assert image.getexif().get(274, 1) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_transparent_picture_is_turned_as_the_decoder_would(tmp_path, orientation, suffix):
    file = tmp_path / f"a{suffix}"
    image = Image.fromarray(s.pixels(1)).convert("RGBA")
    options = {"lossless": True} if suffix == ".webp" else {}
    image.save(file, exif=s.turned(orientation), **options)
    assert np.array_equal(upright(file), read_bgr(file))  # nothing of it is transparent


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_picture_is_turned_as_the_decoder_would(tmp_path, orientation):
    levels = cv2.cvtColor(s.pixels(1), cv2.COLOR_BGR2GRAY).astype(np.uint16) * 257
    levels[0, 0] = 65535
    for suffix in (".png", ".tif"):
        file = tmp_path / f"a{suffix}"
        Image.fromarray(levels).save(file, exif=s.turned(orientation))
        assert np.array_equal(upright(file), read_bgr(file)), suffix


@pytest.mark.parametrize("orientation", range(5, 9))
def test_boxes_of_the_stored_picture_are_turned_with_it(root, tmp_path, orientation):
    """A black box on white, labelled where it is stored, is found where it is shown."""
    source = s.coco(tmp_path / "SET")
    paper = np.full((s.HEIGHT, s.WIDTH, 3), 255, np.uint8)
    paper[8:20, 8:24] = 0  # the first of BOXES
    Image.fromarray(paper).save(source / "train/train_1.jpg", quality=95, exif=s.turned(orientation))
    folder = repaired(root, source, lambda _: None)
    picture = read_bgr(folder / COPY)
    height, width = picture.shape[:2]
    _, x, y, w, h = labels(folder)[0]
    inside = picture[round((y - h / 2) * height) : round((y + h / 2) * height)]
    inside = inside[:, round((x - w / 2) * width) : round((x + w / 2) * width)]
    assert inside.shape[0] * inside.shape[1] == 12 * 16
    assert inside.mean() < 20
    assert (picture < 128).all(axis=2).sum() == pytest.approx(12 * 16, abs=10)


def test_deep_transparent_and_cmyk_pictures(root, tmp_path):
    pixels = s.pixels(1)
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    for bits in (12, 16):
        file = tmp_path / f"{bits}.png"
        s.save(file, grey.astype(np.uint16) << (bits - 8))
        assert np.array_equal(upright(file), cv2.merge([grey] * 3)), bits  # no level is lost, no bit is dark
    assert read_bgr(tmp_path / "12.png").max() < 16  # as it is read without a repair: nearly black
    half = np.dstack([pixels, np.full(grey.shape, 255, np.uint8)])
    half[:, :20, 3] = 0
    s.save(tmp_path / "alpha.png", half)
    assert (upright(tmp_path / "alpha.png")[:, :20] == 255).all()
    assert np.array_equal(upright(tmp_path / "alpha.png")[:, 20:], pixels[:, 20:])
    Image.fromarray(pixels[..., ::-1]).convert("CMYK").save(tmp_path / "cmyk.tif")
    assert np.abs(upright(tmp_path / "cmyk.tif").astype(int) - pixels).max() <= 1


def test_a_jpeg_loses_what_stands_behind_its_end_and_nothing_else(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    good = (source / s.IMAGE).read_bytes()
    folder = repaired(root, source, s.only(good + b"trailer", s.IMAGE))
    assert (folder / s.IMAGE).read_bytes() == good


def test_rows(root, tmp_path):
    more = "0 0.5 0.5 0.001 0.5\n1 0.95 0.5 0.2 0.2\n1 0.1 0.1 0.4 0.1 0.4 0.6\n1 0.5 0.5 0 0.2\n"
    folder = repaired(root, s.yolo(tmp_path / "SET"), s.rows(s.yolo_row(*s.BOXES[0]) + more))
    assert labels(folder)[2:] == [[1, 0.925, 0.5, 0.15, 0.2], [1, 0.25, 0.35, 0.3, 0.5]]
    assert (folder / "labels/train/train_1.txt").read_text().startswith("".join(s.yolo_row(*box) for box in s.BOXES))
    with (folder / "report.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert {(row["line"], row["code"], row["done"]) for row in table} == {
        ("3", "duplicate-row", "row left out"),
        ("4", "under-a-pixel", "row left out"),
        ("5", "sticks-out", "cut at the border"),
        ("6", "polygon", "became the box around it"),
        ("7", "no-size", "row left out"),
    }
    assert {row["file"] for row in table} == {s.LABEL}
    assert "| sticks-out | cut at the border | 1 |" in (folder / "report.md").read_text()


def test_of_a_sheet_that_is_left_out_only_the_reason_says_so(root, tmp_path):
    rows = "1 0.1 0.1 0.4 0.1 0.4 0.6\n1 0.5 0.5 0 0.2\n9 0.5 0.5 0.1 0.1\n"  # there is no class 9
    folder = repaired(root, s.yolo(tmp_path / "SET"), s.rows(rows))
    with (folder / "report.csv").open() as stream:
        table = {(row["line"], row["done"]) for row in csv.DictReader(stream)}
    assert table == {("3", "gone with its sheet"), ("4", "gone with its sheet"), ("5", "sheet left out")}


def test_pixels_are_divided_only_if_all_rows_are_pixels(root, tmp_path):
    rows = s.only(b"0 160 140 160 120\n2 450 260 300 280\n")
    folder = repaired(root, s.yolo(tmp_path / "a/SET"), s.all_of(enlarged, rows))
    assert (folder / s.LABEL).read_text() == "".join(s.yolo_row(*box) for box in s.BOXES)
    folder = repaired(root, s.yolo(tmp_path / "b/SET"), s.rows("1 20 20 10 10\n"))
    assert not (folder / s.LABEL).exists()
    assert not (folder / s.IMAGE).exists()  # without its labels the sheet would say that nothing is there
    assert "- labels/train/train_1.txt" in (folder / "report.md").read_text()


@pytest.mark.parametrize(
    "rows",
    [b"0 25 29 25 25\n2 70.3 54.2 46.9 58.3\n", b"0 16 14 16 12\n", b"0 80 80 240 200\n2 300 120 600 400\n"],
    ids=["per cent", "either", "corners"],
)
def test_what_may_be_something_else_than_pixels_is_not_guessed(root, tmp_path, rows):
    folder = repaired(root, s.yolo(tmp_path / "SET"), s.all_of(enlarged, s.only(rows)))
    assert not (folder / s.LABEL).exists()
    assert "- labels/train/train_1.txt" in (folder / "report.md").read_text()


def test_a_sheet_in_two_splits_stays_in_the_one_that_measures(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    shutil.copy(source / s.IMAGE, source / "images/val")
    shutil.copy(source / s.LABEL, source / "labels/val")
    folder = repaired(root, source, lambda _: None)
    assert (folder / "images/val/train_1.jpg").exists()
    assert not (folder / s.IMAGE).exists()


def test_two_sheets_of_one_name_get_two(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    s.save(source / "images/val/train_1.jpg", s.pixels(99))
    folder = repaired(root, source, lambda _: None)
    assert (folder / "images/train/train_1-2.jpg").exists()
    assert (folder / "labels/train/train_1-2.txt").exists()


def own_dataset(root: Path, names: str) -> Path:
    """Make a project of a good dataset whose data.yaml has `names`; return the project."""
    project = Path(shutil.copytree(root, root.parent / "own"))
    source = s.yolo(project / "data/dataset")
    s.put(source / "data.yaml", f"names: {names}\n")
    return project


def test_the_projects_own_names_must_be_those_of_params(root):
    project = own_dataset(root, "[title, detail, elevation]")
    try:
        report = check_data(project, None)
        assert report.refused
        assert any("error names-order" in line for line in report.lines)
        check_data(project, None, fix=project / "repaired")
        assert [row[0] for row in labels(project / "repaired")] == [2, 1]  # detail was 0 of theirs: now by its name
        assert (project / "repaired/data.yaml").read_text().endswith("names:\n- detail\n- elevation\n- title\n")
        s.put(project / "data/dataset/data.yaml", "names: [door, detail, elevation]\n")
        with pytest.raises(UserError, match=r"data.yaml: expected the classes of params.yaml .*, found door"):
            check_data(project, None, fix=project / "again")
    finally:
        shutil.rmtree(project)


@pytest.mark.parametrize("place", ["full", "SET", "SET/inside", ".", "a_file"])
def test_no_copy_is_written_over_anything(root, tmp_path, place):
    source = s.yolo(tmp_path / "SET")
    s.put(tmp_path / "full/mine.txt", "mine")
    s.put(tmp_path / "a_file", "mine")
    before = s.tree(tmp_path)
    with pytest.raises(UserError, match=r"expected (no folder yet|a folder apart)"):
        check_data(root, source, fix=tmp_path / place)
    assert s.tree(tmp_path) == before


def test_a_killed_copy_leaves_nothing_that_looks_like_one(root, tmp_path):
    """A child is killed in the middle of writing: the target is not there, and the next try makes it whole."""
    source, target = s.yolo(tmp_path / "SET"), tmp_path / "repaired"
    before = s.tree(source)
    child = os.fork()
    if child == 0:
        from stages.intake.contract import repaired_copy as fix

        fix._write_names = lambda *_: os.kill(os.getpid(), 9)
        check_data(root, source, fix=target)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 9
    assert not target.exists()
    assert s.tree(source) == before
    check_data(root, source, fix=target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SET", "repaired"]
    assert [line for line in said(root, target) if not line.startswith("note")] == []


ROWS = [
    "0 0.5 0.5 0.1 0.1", "0 0.5 0.5 0.1 0.1", "1 0.99 0.99 0.3 0.3", "2 0.1 0.1 0.4 0.1 0.4 0.6",
    "1 0.5 0.5 0.001 0.1", "1 0.5 0.5 0 0.1", "1 1.4 0.5 0.1 0.1", "9 0.5 0.5 0.1 0.1", "1 nan 0.5 0.1 0.1",
    "1 20 20 8 8", "x", "1 -0.04 0.5 0.1 0.1", "",
]  # fmt: skip
PICTURES = [
    lambda root: None,
    s.stored(lambda image: image, exif=s.turned(8)),
    s.deep(4095),
    s.stored(lambda image: image.convert("CMYK")),
    s.cut(s.IMAGE, 0.6),
    s.only(b"", s.IMAGE),
    s.stored(lambda image: image.resize((9, 9))),
    s.gone(s.LABEL),
    s.moved(s.IMAGE, "images/train/TRAIN_0.jpg"),
]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.one_of(st.sampled_from(ROWS), st.text("0123456789.- e", max_size=20)), max_size=6),
    ends=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    picture=st.sampled_from(PICTURES),
)
def test_any_mixture_is_repaired(root, tmp_path_factory, rows, ends, mark, picture):
    source = s.yolo(tmp_path_factory.mktemp("mixture") / "SET")
    (source / "labels/train/train_2.txt").write_bytes((mark + ends.join(rows)).encode())
    picture(source)
    before = s.tree(source)
    check_data(root, source, fix=source.parent / "repaired")
    assert s.tree(source) == before
    assert [line for line in said(root, source.parent / "repaired") if not line.startswith("note")] == []
