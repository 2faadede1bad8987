"""Sheets of train go back to the pool without labels; everything else stays byte for byte."""

from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import require_as_listed
from stages.review.auto_removal import take_back
from tests.fake_project import write_files

TRAIN = {"a.png": ("auto", "tower"), "b c.png": ("import", ""), "d.png": ("auto", ""), "e.png": ("person", "tower")}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Four sheets in train, one in a pool that has no folder of labels."""
    root = tmp_path / "dataset"
    for name in TRAIN:
        write_files(root / "train", {f"images/{name}": f"picture {name}", f"labels/{Path(name).stem}.txt": "0 0 0 1 1"})
    write_files(root, {"pool/images/z.png": "picture z", "data.yaml": "names: [door]\n"})
    for split, rows in {"train": TRAIN, "pool": {"z.png": ("none", "")}}.items():
        found = [
            manifest_row(
                root / split / "images" / name,
                root / split / f"labels/{Path(name).stem}.txt",
                added_iteration=1,
                label_source=source,
                group=group,
            )
            for name, (source, group) in rows.items()
        ]
        write_manifest(found, root / split / MANIFEST)
    return root


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_they_lose_their_labels_and_nothing_else(dataset: Path, tmp_path: Path) -> None:
    before = content(dataset)
    take_back(dataset, tmp_path / "next", ["a.png", "d.png"], iteration=3)
    after = content(tmp_path / "next")
    for split in ("train", "pool"):
        require_as_listed(tmp_path / "next" / split)
    assert [row[:4] for row in read_manifest(tmp_path / "next/pool" / MANIFEST)] == [
        ("a.png", 3, "none", "tower"), ("d.png", 3, "none", ""), ("z.png", 1, "none", "")
    ]  # fmt: skip
    assert [row[:4] for row in read_manifest(tmp_path / "next/train" / MANIFEST)] == [
        ("b c.png", 1, "import", ""), ("e.png", 1, "person", "tower")
    ]  # fmt: skip
    assert after["pool/images/a.png"] == before["train/images/a.png"]
    kept = {name for name in before if not name.endswith(MANIFEST) and Path(name).stem not in ("a", "d")}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after.keys() == kept | {"pool/images/a.png", "pool/images/d.png", "train/manifest.csv", "pool/manifest.csv"}
    assert content(dataset) == before


def test_a_dataset_that_was_changed_by_hand_is_refused(dataset: Path, tmp_path: Path) -> None:
    (dataset / "train/labels/e.txt").write_text("0 0 0 1 0.5")
    with pytest.raises(UserError, match=r"e\.txt: expected the content that .* lists, found other content"):
        take_back(dataset, tmp_path / "next", ["a.png"], iteration=3)
    assert not (tmp_path / "next").exists()
