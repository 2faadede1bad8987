"""Whatever is wrong with an export of YOLO, COCO or VOC: it is read, or refused in one line, never with a traceback."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.formats import coco, voc, yolo
from stages.review.identity.reconciliation import reconcile
from tests.review.packets import build_packet, plain_spec

ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    float("nan"),
    "",
    "1",
    "\0",
    "../../a.png",
    [],
    [[]],
    {},
    {"a": []},
]
BYTES = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"<",
    b"&x;",
    b"]",
    b"1e999",
    b"nan",
    b"-1",
    b"\n",
    b"\x1a",
    b"0" * 5000,
    b"*a",
    b"!!python/x",
)
FORMS: dict[str, ModuleType] = {"yolo": yolo, "coco": coco, "voc": voc}


@pytest.fixture(scope="module")
def packet(tmp_path_factory) -> Packet:
    return build_packet(plain_spec(), tmp_path_factory.mktemp("packet"))


def read(packet: Packet, form: ModuleType, folder: Path) -> None:
    """Read it as the import does; a `UserError` is one line."""
    said = ""
    try:
        if form.is_one(folder):
            reconcile(packet, form.read(folder), others=(), all_reviewed=True, partial=True)
    except UserError as error:
        said = str(error)
    assert "\n" not in said


def bytes_changed(folder: Path, rng: random.Random) -> None:
    """Put odd bytes somewhere into a text file, or cut it there."""
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in (".txt", ".yaml", ".json", ".xml")]
    file = rng.choice(files)
    data = file.read_bytes()
    start = rng.randrange(len(data) + 1)
    stop = min(start + rng.choice([0, 1, 1, 5, 40, len(data)]), len(data))
    file.write_bytes(data[:start] + rng.choice(BYTES) + data[stop:])


def value_changed(folder: Path, rng: random.Random) -> None:
    """Put an odd value somewhere into the JSON file, or take one out."""
    file = next(folder.rglob("*.json"))
    content = json.loads(file.read_text(encoding="utf-8"))
    at, place = content, rng.choice(list(content))
    while isinstance(at[place], dict | list) and at[place] and rng.random() < 0.85:
        at = at[place]
        place = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
    if rng.random() < 0.2:
        del at[place]
    else:
        at[place] = rng.choice(ODD)
    file.write_text(json.dumps(content), encoding="utf-8")


def check(
    packet: Packet, form: ModuleType, folder: Path, change: Callable[[Path, random.Random], None], seed: int
) -> None:
    folder.mkdir()
    form.write(packet, folder)
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 3)):
        change(folder, rng)
    read(packet, form, folder)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_odd_bytes(form: str, seed: int, packet: Packet, tmp_path_factory) -> None:
    check(packet, FORMS[form], tmp_path_factory.mktemp("damage") / "out", bytes_changed, seed)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_odd_values(seed: int, packet: Packet, tmp_path_factory) -> None:
    check(packet, coco, tmp_path_factory.mktemp("damage") / "out", value_changed, seed)


@pytest.mark.parametrize("form", FORMS)
def test_folders_that_are_called_like_files(form: str, packet: Packet, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    FORMS[form].write(packet, tmp_path / "out")
    for name in ("a/classes.txt", "labels/c.txt", "a.json", "Annotations/c.xml", "c.png", "train.txt"):
        (tmp_path / "out" / name).mkdir(parents=True)
    found = reconcile(packet, FORMS[form].read(tmp_path / "out"), others=(), all_reviewed=True, partial=False)
    assert len(found.sheets) == 3
