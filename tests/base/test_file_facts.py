"""What was found out about a file is kept: when it is asked for again, when it is not, and what a broken store does."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from stages.base import fact_store
from stages.base.decoding import SOURCE
from stages.base.file_facts import code_of, digests, kind_of, looked_at, remembered
from tests.closures import ROOT, closure

KINDS = ["length 1", "twice 1"]


class Looker:
    """Finds out two things about bytes, and counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, data: bytes) -> list[bytes]:
        self.times += 1
        return [str(len(data)).encode(), data * 2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store of this test, for which every file is old enough."""
    monkeypatch.setattr(fact_store, "STORE", tmp_path / "scratch/files.sqlite")
    monkeypatch.setattr(fact_store, "_SETTLED", 0)
    return tmp_path / "scratch/files.sqlite"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read whole, in their order."""
    found: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: found.append(self) or read(self))
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{number}.bin" for number in range(3)]
    for number, file in enumerate(made):
        file.write_bytes(bytes([number]) * 10)
    time.sleep(0.02)  # more than a tick of the kernel's clock
    return made


def seen(files: list[Path], look: Callable[[bytes], list[bytes]] | None = None) -> list[object]:
    return list(looked_at(files, KINDS, look or Looker()))


def test_a_known_file_is_neither_read_nor_looked_at(store, files, reads):
    look = Looker()
    first = seen(files, look)
    assert first == [[b"10", file.read_bytes() * 2] for file in files]
    assert (look.times, reads[:3]) == (3, files)
    reads.clear()
    assert seen(files, look) == first
    assert digests(files) == {file: sha256(bytes([n]) * 10).hexdigest() for n, file in enumerate(files)}
    assert (look.times, reads) == (3, [])


def test_a_batch_is_asked_for_at_once(store, tmp_path, monkeypatch):
    many = [tmp_path / f"{number:03}.bin" for number in range(150)]
    for file in many:
        file.write_bytes(file.name.encode())
    time.sleep(0.02)  # more than a tick of the kernel's clock
    first = seen(many)
    asked: list[str] = []
    rows = fact_store.FactStore._rows
    monkeypatch.setattr(
        fact_store.FactStore, "_rows", lambda self, *query: asked.append(query[0]) or rows(self, *query)
    )
    assert seen(many) == first
    assert len(asked) == 3 * 2  # batches, each for what is known of the files and for the values
    asked.clear()
    assert list(remembered([file.name for file in many], "kind", lambda place: b"1")) == [b"1"] * 150
    assert len(asked) == 3


def test_the_content_counts_and_not_the_name(store, files, reads):
    look = Looker()
    first = seen(files, look)
    moved = files[0].rename(files[0].with_name("moved.bin"))
    files[1].write_bytes(bytes([7]) * 10)
    assert seen([moved, *files[1:]], look) == [first[0], [b"10", bytes([7]) * 20], first[2]]
    assert look.times == 4


def test_a_file_of_this_very_moment_is_read_again(store, files, reads, monkeypatch):
    monkeypatch.undo()  # of a file that was written just now nothing is trusted
    monkeypatch.setattr(fact_store, "STORE", store)
    file = files[0]
    for byte in range(20):  # several within a tick of the clock: size, times and inode are the same
        file.write_bytes(bytes([byte]) * 10)
        assert digests([file])[file] == sha256(bytes([byte]) * 10).hexdigest()


def test_a_file_whose_mtime_was_set_back_is_read_again(store, files):
    file = files[0]
    before = file.stat()
    digests([file])
    file.write_bytes(b"x" * 10)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert digests([file])[file] == sha256(b"x" * 10).hexdigest()


def test_what_is_no_file_has_no_digest_and_no_value(store, tmp_path):
    (tmp_path / "folder.png").mkdir()
    missing = [tmp_path / "nothing.png", tmp_path / "folder.png"]
    assert digests(missing) == dict.fromkeys(missing, "")
    assert seen(missing) == [None, None]


def test_a_name_that_is_no_utf_8_is_a_name(store, files, reads):
    odd = files[0].rename(Path(os.fsdecode(os.fsencode(files[0].parent) + b"/\xfc.bin")))
    assert digests([odd]) == digests([odd])
    assert len(reads) == 1


def other_tables(store: Path) -> None:
    store.unlink()
    with sqlite3.connect(store) as db:
        db.execute("CREATE TABLE files (name TEXT)")


def other_values(store: Path) -> None:
    with sqlite3.connect(store) as db:
        db.execute("UPDATE facts SET value = 'foreign', own = 1")
        db.execute("UPDATE files SET sha256 = 'foreign'")


def no_text(store: Path) -> None:
    with sqlite3.connect(store) as db:
        db.execute("UPDATE files SET state = CAST(x'ff' AS TEXT)")
        db.execute("UPDATE facts SET value = value || 'x'")


BROKEN = {
    "cut short": lambda store: os.truncate(store, 5000),
    "empty": lambda store: os.truncate(store, 0),
    "no database": lambda store: store.write_bytes(b"nonsense " * 2000),
    "overwritten": lambda store: store.write_bytes(store.read_bytes()[:4096] + bytes(3 * 4096)),
    "other tables": other_tables,
    "other values": other_values,
    "no text": no_text,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_store_is_passed_over_and_made_anew(store, files, how):
    first = seen(files)
    BROKEN[how](store)
    look = Looker()
    assert [seen(files, look) for _ in range(3)] == [first] * 3
    assert 3 <= look.times <= 6  # found out anew, and from then on known
    before = look.times
    assert seen(files, look) == first
    assert look.times == before


def test_without_a_place_for_the_store_all_is_found_out_anew(store, files, tmp_path):
    (tmp_path / "scratch").write_text("no folder")
    look = Looker()
    assert seen(files, look) == seen(files, look)
    assert look.times == 6
    assert (tmp_path / "scratch").read_text() == "no folder"


def test_a_store_that_is_being_written_by_another_is_done_without(store, files, monkeypatch):
    first = seen(files)
    monkeypatch.setattr(fact_store, "_WAIT", 0.05)
    with sqlite3.connect(store, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert seen(files) == first
    assert store.is_file()


def test_the_store_does_not_grow_beyond_its_bound(store, tmp_path, monkeypatch):
    monkeypatch.setattr(fact_store, "MOST_BYTES", 300_000)
    keys = [f"{number:064x}" for number in range(400)]
    sizes = []
    for start in range(0, len(keys), 40):
        list(remembered(keys[start : start + 40], "kind", lambda place: bytes(5000)))
        sizes.append(store.stat().st_size)
    assert max(sizes) < 300_000 + 40 * 2 * 4096  # the bound, and a batch
    with sqlite3.connect(store) as db:
        kept = {row[0] for row in db.execute("SELECT sha256 FROM facts")}
    assert keys[-1] in kept
    assert keys[0] not in kept
    assert len(kept) > 30


def test_what_is_not_found_is_not_kept(store):
    asked: list[int] = []
    for _ in range(2):
        assert list(remembered(["a", "b"], "kind", lambda place: asked.append(place) or (b"1" if place else None))) == [
            None,
            b"1",
        ]
    assert asked == [0, 1, 0]


WRITER = """
import sys
from pathlib import Path
from stages.base import fact_store
from stages.base.file_facts import looked_at
fact_store.STORE, fact_store._SETTLED = Path(sys.argv[1]), 0
files = sorted(Path(sys.argv[2]).glob("*.bin"))
for turn in range(int(sys.argv[3])):
    values = list(looked_at(files, [f"kind {turn}"], lambda data: [data * 500]))
    assert values == [[file.read_bytes() * 500] for file in files], turn
print("done")
"""


def test_processes_at_once_and_kills_leave_a_store_that_tells_the_truth(store, files):
    def start(turns: int) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", WRITER, str(store), str(files[0].parent), str(turns)]
        return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    lasting = [start(30), start(30)]
    rng = random.Random(0)
    for _ in range(6):
        killed = start(10_000)
        time.sleep(rng.uniform(0.05, 0.3))
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    assert [one.communicate()[0] for one in lasting] == ["done\n", "done\n"]
    with sqlite3.connect(store) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = dict(db.execute("SELECT kind, value FROM facts WHERE kind = 'kind 0'"))
    assert kept["kind 0"] in [file.read_bytes() * 500 for file in files]


def test_other_code_is_another_kind(tmp_path):
    sources = [tmp_path / "a.py", tmp_path / "b.py"]
    for source in sources:
        source.write_text("x = 1\n")
    kinds = {kind_of("one", code_of(sources[:1]), ("numpy",)), kind_of("one", code_of(sources), ("numpy",))}
    sources[1].write_text("x = 2\n")
    kinds |= {kind_of("one", code_of(sources), ("numpy",)), kind_of("one", code_of(sources[1:]), ("numpy",))}
    kinds |= {
        kind_of("one", code_of(sources[:1]), ("numpy", "pandas")),
        kind_of("two", code_of(sources[:1]), ("numpy",)),
    }
    assert len(kinds) == 6


def test_what_decoding_gives_depends_on_no_other_code():
    texts_and_store = {f"stages/base/{name}.py" for name in ("errors", "image_size", "fact_store", "file_facts")}
    assert closure("stages.base.decoding") - texts_and_store == {str(SOURCE.relative_to(ROOT))}
