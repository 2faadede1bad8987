"""A split is read only as its manifest lists it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import (
    MANIFEST,
    ManifestRow,
    count_sources,
    manifest_row,
    read_manifest,
    write_manifest,
)
from stages.dataset.sheets.split_folder import read_split, require_as_listed
from stages.intake.manifest_renewal import ManifestChanges, changes, relisted

SHA_OF_A = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"  # sha256 of the letter a


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """A split with a labelled, an empty and an unlabelled sheet."""
    folder = tmp_path / "train"
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for stem in "abc":
        (folder / f"images/{stem}.png").write_text(stem)
    (folder / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (folder / "labels/b.txt").write_text("")
    write_list(folder)
    return folder


def write_list(folder: Path) -> None:
    sources = {"a": "oracle", "b": "import", "c": "none"}
    rows = [
        manifest_row(folder / f"images/{s}.png", folder / f"labels/{s}.txt", added_iteration=2, label_source=by)
        for s, by in sources.items()
    ]
    write_manifest(rows, folder / MANIFEST)


def test_a_list_comes_back_as_it_was_written(split):
    rows = read_manifest(split / MANIFEST)
    assert [row[:4] for row in rows] == [
        ("a.png", 2, "oracle", ""),
        ("b.png", 2, "import", ""),
        ("c.png", 2, "none", ""),
    ]
    assert rows[0].image_sha256 == SHA_OF_A
    assert [bool(row.label_sha256) for row in rows] == [True, True, False]
    assert count_sources(rows) == {"import": 1, "oracle": 1, "none": 1}


@pytest.mark.parametrize("name", ["labels.cache", "images/.DS_Store", "images/._a.png", "labels/.a.txt", "notes.txt"])
def test_what_is_no_sheet_and_no_label_is_passed_over(split, name):
    (split / name).write_text("anything")
    require_as_listed(split)
    assert [sheet.image_id for sheet in read_split("train", split.parent)] == ["a.png", "b.png", "c.png"]


def write(name: str, text: str = "other") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


OLD = "image_id,added_iteration,label_source\na.png,2,oracle\n"


@pytest.mark.parametrize(
    ("spoil", "where", "says"),
    [
        (write("images/d.png"), "images/d.png", "found one that it does not list"),
        (remove("images/b.png"), "images/b.png", "found no file"),
        (write("images/b.png"), "images/b.png", "found other content"),
        (write("labels/a.txt"), "labels/a.txt", "found other content"),
        (remove("labels/b.txt"), "labels/b.txt", "found no file"),
        (write("labels/c.txt", ""), "labels/c.txt", "found a file that nobody accepted"),
        (write("labels/z.txt"), "labels/z.txt", "found labels of none"),
        (remove(MANIFEST), MANIFEST, "found no file"),
        (write(MANIFEST, OLD), MANIFEST, "Write it anew: yoloop data accept"),
        (write(MANIFEST, ""), MANIFEST, "found an empty file"),
        (write(MANIFEST, ",".join(ManifestRow._fields) + "\na.png,x,import,,,\n"), f"{MANIFEST}:2", "found a.png,x"),
    ],
)
def test_a_split_that_differs_is_not_read(split, spoil, where, says):
    spoil(split)
    with pytest.raises(UserError) as caught:
        read_split("train", split.parent)
    assert str(caught.value).startswith(f"{split / where}: expected ")
    assert says in str(caught.value)
    assert "dvc checkout --force data/dataset" in str(caught.value) or "data accept" in str(caught.value)


def test_an_old_list_is_read_where_it_is_about_to_be_written_anew(split):
    (split / MANIFEST).write_text(OLD)
    assert read_manifest(split / MANIFEST, without_content=True) == [ManifestRow("a.png", 2, "oracle", "", "", "")]


def test_a_new_list_keeps_what_is_still_true(split):
    before = {"train": read_manifest(split / MANIFEST)}
    (split / "images/d.png").write_text("new")
    (split / "images/b.png").unlink()
    (split / "labels/b.txt").unlink()
    (split / "labels/c.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    now = relisted(split.parent, before, iteration=7, groups={"d.png": "set D", "z.png": "no sheet"})
    assert [row[:4] for row in now["train"]] == [
        ("a.png", 2, "oracle", ""),
        ("c.png", 2, "import", ""),
        ("d.png", 7, "none", "set D"),
    ]
    assert changes(before["train"], now["train"]) == ManifestChanges(("d.png",), ("b.png",), ("c.png",), ())
    write_manifest(now["train"], split / MANIFEST)
    require_as_listed(split)


def test_a_sheet_whose_labels_are_gone_is_one_without_labels(split):
    before = {"train": read_manifest(split / MANIFEST)}
    (split / "labels/b.txt").unlink()
    now = relisted(split.parent, before, iteration=7, groups={})
    assert changes(before["train"], now["train"]) == ManifestChanges((), (), (), (), ("b.png",))


def test_a_list_from_before_contents_reports_no_change_of_them(split):
    (split / MANIFEST).write_text(OLD + "b.png,0,auto\nc.png,0,none\n")
    before = {"train": read_manifest(split / MANIFEST, without_content=True)}
    now = relisted(split.parent, before, iteration=3, groups={})
    assert changes(before["train"], now["train"]) == ManifestChanges((), (), (), ())
    assert [row[:3] for row in now["train"]] == [("a.png", 2, "oracle"), ("b.png", 0, "auto"), ("c.png", 0, "none")]
