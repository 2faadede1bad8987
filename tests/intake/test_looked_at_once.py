"""Each sheet is decoded once, ever: by the check, the firewall, the import or `train`, whoever comes first."""

import shutil
import sqlite3
import time
from pathlib import Path

import cv2
import pytest

from stages.base import fact_store
from stages.base.errors import UserError
from stages.dataset.new_dataset import NewSheet, write_dataset
from stages.firewall import fingerprinting, signatures
from stages.firewall.laying import alignment
from stages.formats.dataset_reader import read_dataset
from stages.intake.contract.contract import check_sheets
from stages.intake.dataset_check import check_data
from stages.intake.import_source import ImportOptions, read_sheets
from stages.train import checked_sheets
from tests.closures import ROOT, closure
from tests.fake_project import sh
from tests.intake.contract import datasets as s

SHEETS = sum(s.COUNTS.values())


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many pictures were decoded and how many pairs of sheets aligned, from an empty store of this test on."""
    monkeypatch.setattr(fact_store, "STORE", tmp_path / "scratch/files.sqlite")
    monkeypatch.setattr(fact_store, "_SETTLED", 0)
    done = {"imdecode": 0, "findTransformECC": 0}
    for name in done:

        def counted(*args: object, _name: str = name, _real: object = getattr(cv2, name)) -> object:
            done[_name] += 1
            return _real(*args)

        monkeypatch.setattr(cv2, name, counted)
    return done


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A dataset whose train has a sheet of val, cropped, and a file that is no image."""
    folder = s.yolo(tmp_path / "SET")
    shutil.copy(folder / "labels/val/val_0.txt", folder / "labels/train/again.txt")
    s.save(folder / "images/train/again.png", s.pixels(3)[2:, 3:])
    s.put(folder / "images/train/damaged.jpg", "no image")
    time.sleep(0.02)  # more than a tick of the kernel's clock
    return folder


@pytest.fixture
def root(clean_env: None, tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root)
    sh(root, "git", "init", "-q")
    return root


def test_a_second_check_decodes_nothing_and_says_the_same(work, source, root):
    first = check_data(root, source, every=True)
    assert any("image-damaged" in line for line in first.lines)
    assert any("leak" in line for line in first.lines)
    assert work["imdecode"] == SHEETS + 2
    assert work["findTransformECC"] > 0
    done = dict(work)
    assert check_data(root, source, every=True) == first
    assert work == done
    fact_store.STORE.unlink()
    assert check_data(root, source, every=True) == first
    assert work == {name: 2 * count for name, count in done.items()}


def test_only_a_changed_file_is_decoded_again(work, source, root):
    first = check_data(root, source, every=True)
    before = work["imdecode"]
    s.save(source / "images/train/train_0.jpg", s.pixels(90)[:, :40])
    again = check_data(root, source, every=True)
    assert work["imdecode"] == before + 1
    shutil.rmtree(fact_store.STORE.parent)
    assert check_data(root, source, every=True) == again
    assert again == first  # nothing is odd about the other picture
    s.save(source / "images/train/train_0.jpg", s.pixels(90)[:8])
    assert any("image-too-small" in line for line in check_data(root, source, every=True).lines)


def test_a_check_whose_values_are_broken_says_the_same(work, source, root):
    first = check_data(root, source, every=True)
    with sqlite3.connect(fact_store.STORE) as db:
        db.execute("UPDATE facts SET value = x'00'")
    assert check_data(root, source, every=True) == first


def test_an_import_after_a_check_decodes_nothing(work, source, root):
    for name in ("again.png", "damaged.jpg"):
        (source / "images/train" / name).unlink()
    check_data(root, source)
    before = dict(work)
    read_sheets(source, ImportOptions())
    assert work == before


def test_train_decodes_nothing_that_a_check_has_decoded(work, source, tmp_path, monkeypatch):
    dataset = read_dataset(source)
    check_sheets(dataset.sheets)
    good = [one.item.image for one in dataset.sheets if one.item.image.stem != "damaged"]
    sheets = [NewSheet(image, "0 0.5 0.5 0.2 0.2\n") for image in good]
    write_dataset(tmp_path / "project/data/dataset", {"train": sheets}, s.NAMES)
    monkeypatch.chdir(tmp_path / "project")
    before = work["imdecode"]
    first = checked_sheets(s.NAMES)
    assert work["imdecode"] == before  # the copies have the same content
    fact_store.STORE.unlink()
    assert checked_sheets(s.NAMES) == first
    assert checked_sheets(s.NAMES) == first
    assert work["imdecode"] == before + len(good)


def test_train_refuses_a_damaged_sheet_each_time(work, source, tmp_path, monkeypatch):
    damaged = source / "images/train/damaged.jpg"
    write_dataset(tmp_path / "project/data/dataset", {"train": [NewSheet(damaged, "0 0.5 0.5 0.2 0.2\n")]}, s.NAMES)
    monkeypatch.chdir(tmp_path / "project")
    for _ in range(2):
        with pytest.raises(UserError, match=r"damaged\.jpg: expected an image, found bytes that do not decode"):
            checked_sheets(s.NAMES)


@pytest.mark.parametrize("module", [fingerprinting, signatures], ids=lambda module: module.__name__)
def test_what_is_kept_of_sheets_names_all_the_code_that_it_comes_from(module):
    around = {f"stages/base/{name}.py" for name in ("errors", "fact_store", "file_facts", "image_size", "decoding")}
    named = {str(source.relative_to(ROOT)) for source in module.SOURCES}
    assert closure(module.__name__) - around == named - {"stages/base/decoding.py"}
    assert alignment.__name__.rpartition(".")[2] in {source.stem for source in signatures.SOURCES}
