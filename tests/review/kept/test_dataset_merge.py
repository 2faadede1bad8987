"""What a review brings to the dataset: sheets leave the pool, rechecked ones get new labels, repeats change nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import read_split
from stages.picking.packet import PRELABELS, Packet, PacketSheet
from stages.review.kept.dataset_merge import TakenIn, merge_reviewed, taken_in
from stages.review.kept.earlier_labels import labels_before
from stages.review.kept.kept_review import ReviewedBox, ReviewedSheet
from tests.fake_project import write_files

CLASSES = ("door", "sink")
OLD = "0 0.5 0.5 0.1 0.1\n"
NEW = "1 0.500000 0.500000 0.200000 0.200000\n"
SHEETS = {"train": ("t1", "t2"), "pool": ("p1", "p2"), "val": ("v1",), "test": ("x1",)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sheets in train, imported and reviewed by a person; two in the pool, the second with labels of its own."""
    for split, names in SHEETS.items():
        folder = tmp_path / "data/dataset" / split
        write_files(folder / "images", {f"{name}.png": f"pixels of {name}" for name in names})
        write_files(folder / "labels", {f"{name}.txt": OLD for name in names if name != "p1"})
        sources = {"t2": "person", "p1": "none"}
        rows = [
            manifest_row(
                folder / f"images/{name}.png",
                folder / f"labels/{name}.txt",
                added_iteration=0,
                label_source=sources.get(name, "import"),
                group="A",
            )
            for name in names
        ]
        write_manifest(rows, folder / MANIFEST)
    return tmp_path


def packet(names) -> Packet:
    sheets = tuple(PacketSheet(at, f"{name}.png", "", 100, 100, "claims", "") for at, name in enumerate(names, 1))
    prelabels = pd.DataFrame(columns=list(PRELABELS)).astype(PRELABELS)
    return Packet(Path(), "abc", 2, CLASSES, 0, "", sheets, prelabels, pd.DataFrame())


def reviewed(name: str) -> ReviewedSheet:
    return ReviewedSheet(f"{name}.png", "", "reviewed", None, (ReviewedBox("sink", 40, 40, 60, 60),))


def merged(root: Path, arms: dict[str, str]) -> Path:
    """Return the next dataset after a review of these sheets, by their arms."""
    dataset, target = root / "data/dataset", root / "next"
    taken = taken_in(dataset, [reviewed(name) for name in arms], {f"{name}.png": arm for name, arm in arms.items()})
    merge_reviewed(dataset, target, taken, packet(arms), iteration=3, label_source="person")
    return target


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_rechecked_sheet_of_train_gets_new_labels_where_it_is(root: Path) -> None:
    before = content(root / "data/dataset")
    target = merged(root, {"t1": "recheck", "p1": "picked"})
    assert (target / "train/labels/t1.txt").read_text() == (target / "train/labels/p1.txt").read_text() == NEW
    assert (target / "train/labels/t2.txt").read_text() == OLD
    rows = {row.image_id: row for row in read_manifest(target / "train" / MANIFEST)}
    assert sorted(rows) == ["p1.png", "t1.png", "t2.png"]  # no sheet twice
    assert rows["t1.png"][:4] == ("t1.png", 0, "person", "A")  # it came with the import, a person labelled it
    assert rows["p1.png"][:4] == ("p1.png", 3, "person", "A")
    for split in SHEETS:
        read_split(split, target)  # as its manifest lists it
    assert content(root / "data/dataset") == before  # hard links or not, what was there stays


def test_a_rechecked_sheet_of_the_pool_moves_as_any_other(root: Path) -> None:
    target = merged(root, {"p2": "recheck"})
    assert (target / "train/labels/p2.txt").read_text() == NEW
    assert not (target / "pool/images/p2.png").exists()


def test_a_repeat_changes_no_labels(root: Path) -> None:
    before = content(root / "data/dataset")
    assert content(merged(root, {"t2": "repeat"})) == before


@pytest.mark.parametrize("name", ["v1", "x1"])
@pytest.mark.parametrize("arm", ["recheck", "picked"])
def test_val_and_test_are_refused(root: Path, name: str, arm: str) -> None:
    with pytest.raises(UserError, match="expected the reviewed sheet in the pool"):
        merged(root, {name: arm})
    assert not (root / "next").exists()


def test_only_the_arm_lets_a_sheet_of_train_be_changed(root: Path) -> None:
    with pytest.raises(UserError, match="expected the reviewed sheet in the pool"):
        merged(root, {"t1": "picked"})


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["t1", "t2", "p1", "p2"]), st.booleans()))
def test_every_reviewed_sheet_goes_one_way(root: Path, second: dict[str, bool]) -> None:
    arms = {name: ("recheck" if first else "repeat") if name[0] == "t" else "picked" for name, first in second.items()}
    taken = taken_in(root / "data/dataset", [reviewed(name) for name in arms], {f"{n}.png": a for n, a in arms.items()})
    assert {one.image_id[:2] for one in taken.moved} == {name for name in arms if name[0] == "p"}
    assert {one.image_id[:2] for one in taken.corrected} == {name for name, arm in arms.items() if arm == "recheck"}


def test_what_an_earlier_review_left_is_known_of_the_same_kind_of_reviewer(root: Path) -> None:
    arms = {"t1.png": "repeat", "t2.png": "repeat", "p1.png": "picked"}
    found = labels_before(root, packet(["t1", "t2", "p1"]), arms, oracle=False)
    assert list(found) == ["t1.png", "t2.png"]
    assert found["t2.png"][0].class_name == "door"
    assert np.allclose(found["t2.png"][0][1:5], [45, 45, 55, 55])
    assert labels_before(root, packet(["t2"]), {"t2.png": "repeat"}, oracle=True) == {}
    assert labels_before(root, packet(["t2"]), {"t2.png": "recheck"}, oracle=False) == {}


def test_nothing_is_taken_where_nothing_is(root: Path) -> None:
    assert taken_in(root / "data/dataset", [], {}) == TakenIn((), ())
