"""Squares come back as they were put, and what is held of many sheets does not grow with their squares."""

import gc
import os
import random
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.base import file_facts
from stages.firewall import grey_squares
from stages.firewall.copies import THUMB
from stages.firewall.grey_squares import GreySquares, Recent, packed_square, soft_square, unpacked_square
from stages.firewall.kinship import copies_among, fingerprints

FEW, MANY = 40, 120


def noise(seed: int) -> np.ndarray:
    """Return a square that no packing makes smaller."""
    return np.random.default_rng(seed).integers(0, 256, (THUMB, THUMB), np.uint8)


def full(*_: object, **__: object) -> int:
    raise OSError("no space left on device")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


BROKEN: dict[str, tuple[object, str, Callable[..., object]]] = {
    "no place for a file": (tempfile, "mkstemp", full),
    "a full disk": (os, "pwrite", full),
    "a disk that becomes full": (os, "pwrite", lambda *_: 7),
}


@pytest.mark.parametrize("how", ["", *BROKEN])
def test_each_square_comes_back_in_any_order(how, monkeypatch):
    if how:
        monkeypatch.setattr(*BROKEN[how])
    monkeypatch.setattr(grey_squares, "_IN_MEMORY", 5 * THUMB**2)  # some in memory, some in the file
    monkeypatch.setattr(grey_squares, "AT_HAND", 3)
    squares = GreySquares()
    given = [squares.put(packed_square(noise(seed))) for seed in range(12)]
    asked = [seed for seed in range(12) for _ in range(3)]
    random.Random(0).shuffle(asked)
    soft = [squares.put_soft(soft_square(noise(seed)).tobytes()) for seed in range(12)]
    for seed in asked:
        assert np.array_equal(given[seed](), noise(seed))
        assert np.array_equal(soft[seed](), soft_square(noise(seed)))


def test_a_turned_square_softened_is_the_soft_one_turned():
    for turns in range(4):
        for mirrored in (slice(None), slice(None, None, -1)):
            turned = np.ascontiguousarray(np.rot90(noise(1)[:, mirrored], turns))
            assert np.array_equal(soft_square(turned), np.rot90(soft_square(noise(1))[:, mirrored], turns))


def test_a_packed_square_is_one_square():
    paper = np.full((THUMB, THUMB), 240, np.uint8)
    assert len(packed_square(paper)) < 100
    assert np.array_equal(unpacked_square(packed_square(paper)), paper)


def test_the_file_has_no_name_and_is_gone_with_the_squares(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(grey_squares, "_IN_MEMORY", 0)
    before = open_files()
    squares = GreySquares()
    given = squares.put(packed_square(noise(0)))
    assert list(tmp_path.iterdir()) == []
    assert open_files() == before + 1
    del squares
    assert np.array_equal(given(), noise(0))  # which holds the file
    del given
    assert open_files() == before


def test_what_was_asked_for_last_is_at_hand():
    made: list[int] = []
    recent: Recent[int, int] = Recent(2)
    for key in (1, 2, 1, 3, 1, 2):
        assert recent.get(key, lambda key=key: made.append(key) or -key) == -key
    assert made == [1, 2, 3, 2]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sheets of noise, all distinct but the last, which is the first."""
    folder = tmp_path_factory.mktemp("sheets")
    found = {f"{seed:03}.png": folder / f"{seed:03}.png" for seed in range(MANY)}
    for seed, file in enumerate(found.values()):
        assert cv2.imwrite(str(file), noise(seed % (MANY - 1)))
    return found


def held(work: Callable[[dict[str, Path]], object], files: dict[str, Path]) -> int:
    """Return the bytes that were held at most while the work was done."""
    gc.collect()
    tracemalloc.start()
    try:
        work(files)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("work", [fingerprints, copies_among])
def test_a_sheet_more_costs_its_hashes_and_not_its_square(work, files, tmp_path, monkeypatch):
    """Its hashes are 3 kB, and while keys of few sheets are looked up five times as much; its square is 64 kB."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grey_squares, "_IN_MEMORY", 10 * THUMB**2)
    monkeypatch.setattr(grey_squares, "AT_HAND", 10)
    monkeypatch.setattr(file_facts, "_BATCH", 8)
    few = dict(list(files.items())[:FEW])
    for some in (few, files):  # found out, and loaded, what stays
        work(some)
    assert held(work, files) - held(work, few) < (MANY - FEW) * THUMB**2 / 2
    assert copies_among(files) == [("000.png", f"{MANY - 1}.png")]
