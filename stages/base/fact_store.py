"""The SQLite file in which `file_facts` keeps what it knows; where SQLite cannot work, it knows and keeps nothing.

SQLite's journal keeps it whole through a kill and between processes. Each row has a digest of its own, so that a broken
or foreign one is passed over, and replaced; a file that is no store of ours is taken away.
"""

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from hashlib import blake2b, sha256
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

STORE = Path(".scratch/files.sqlite")
MOST_BYTES = 2**30  # some 30,000 sheets; beyond it the oldest quarter goes
_SETTLED = 2_000_000_000  # ns: FAT, whose clock is the coarsest, ticks every two seconds
_WAIT = 5.0  # seconds for another process that writes; a batch takes milliseconds
_TABLES = """
CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, state TEXT, sha256 TEXT, own BLOB);
CREATE TABLE IF NOT EXISTS facts (sha256 TEXT, kind TEXT, value BLOB, own BLOB, PRIMARY KEY (sha256, kind));
"""
# What SQLite says of a file that is none of ours: other tables, a broken page, no database, another format.
_BROKEN = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)

_UNUSED = ContextVar("unused", default=False)


@contextmanager
def unused() -> Iterator[None]:
    """Neither ask nor fill the store in the block: for a command that leaves a project byte for byte as it is."""
    before = _UNUSED.set(True)
    try:
        yield
    finally:
        _UNUSED.reset(before)


class Content(NamedTuple):
    """What is known of the bytes of a file: their SHA-256, and themselves if they were read just now."""

    sha256: str
    data: bytes | None = None


class FactStore:
    """The store, open for a batch; without a file that can be used it knows nothing and keeps nothing."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._files: list[tuple[Any, ...]] = []
        self._facts: dict[tuple[str, str], bytes] = {}
        # What was asked for in advance: the row of each path, the value of each key (None: there is none).
        self._rows_of: dict[bytes, tuple[Any, ...] | None] = {}
        self._values: dict[tuple[str, str], bytes | None] = {}

    def __enter__(self) -> Self:
        if _UNUSED.get():
            return self
        with suppress(OSError):
            STORE.parent.mkdir(parents=True, exist_ok=True)
            self._attempt(self._open)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._attempt(self._write)
        self._close()

    def recall(self, files: Sequence[Path], kinds: Sequence[str] = ()) -> None:
        """Ask in advance for what is known of `files` and their contents: together takes a fraction of one by one."""
        paths = [os.fsencode(file.absolute()) for file in files]
        rows = self._rows(f"SELECT path, state, sha256, own FROM files WHERE path IN {_places(paths)}", paths)
        self._rows_of |= dict.fromkeys(paths) | {path: rest for path, *rest in rows if isinstance(path, bytes)}
        self.recall_facts([digest for _, _, digest, _ in rows if isinstance(digest, str)], kinds)

    def recall_facts(self, digests: Sequence[str], kinds: Sequence[str]) -> None:
        """Ask in advance for the values of each kind that are kept under `digests`."""
        keys = [(digest, kind) for digest in digests for kind in kinds]
        where = f"sha256 IN {_places(digests)} AND kind IN {_places(kinds)}"
        rows = self._rows(f"SELECT sha256, kind, value, own FROM facts WHERE {where}", [*digests, *kinds])
        kept = {(digest, kind): value for digest, kind, value, own in rows if own == _own(digest, kind, value)}
        self._values |= dict.fromkeys(keys) | kept

    def content(self, file: Path) -> Content | None:
        """Return what is known of the bytes of `file`, read if need be; None when it cannot be."""
        began, state = time.time_ns(), _state(file)
        if not state:
            return None
        path = os.fsencode(file.absolute())
        if path not in self._rows_of:
            self.recall([file])
        known, digest, own = self._rows_of[path] or ("", "", b"")
        if known == state and own == _own(path, state, digest):
            return Content(digest)
        try:
            data = file.read_bytes()
        except OSError:
            return None
        digest = sha256(data).hexdigest()
        if _state(file) == state and began - int(state.rpartition(" ")[2]) > _SETTLED:
            self._files.append((path, state, digest, _own(path, state, digest)))
        return Content(digest, data)

    def facts(self, digest: str, kinds: Sequence[str]) -> list[bytes | None]:
        """Return the value of each kind that is kept, None for none."""
        if any((digest, kind) not in self._values for kind in kinds):
            self.recall_facts([digest], kinds)
        return [self._facts.get((digest, kind), self._values[digest, kind]) for kind in kinds]

    def keep(self, digest: str, kind: str, value: bytes) -> None:
        """Keep a value, from the end of the batch on."""
        self._facts[digest, kind] = value

    def _open(self) -> None:
        self._db = sqlite3.connect(STORE, timeout=_WAIT, isolation_level=None)
        self._db.text_factory = partial(str, encoding="utf-8", errors="replace")  # of a row that is none of ours
        self._db.execute("PRAGMA synchronous = OFF")  # a kill does no harm; after a power cut rows may be broken
        if not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")

    def _write(self) -> None:
        db = self._db
        if db is None or not (self._files or self._facts):
            return
        facts = [(*key, value, _own(*key, value)) for key, value in self._facts.items()]
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", self._files)
        db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", facts)
        while _size(db) > MOST_BYTES:
            for table in ("files", "facts"):
                quarter = f"(SELECT rowid FROM {table} ORDER BY rowid LIMIT (SELECT count(*) / 4 + 1 FROM {table}))"
                db.execute(f"DELETE FROM {table} WHERE rowid IN {quarter}")
        db.execute("COMMIT")

    def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        self._attempt(lambda: found.extend(self._db.execute(query, values) if self._db else ()))
        return found

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do `work`; where SQLite cannot, go on without the store, and take it away if it is none."""
        try:
            work()
        except sqlite3.Error as error:
            self._close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN:
                with suppress(OSError):
                    STORE.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()  # what was not committed is not kept
            self._db = None


def _places(values: Sequence[object]) -> str:
    return f"({', '.join('?' * len(values))})"


def _size(db: sqlite3.Connection) -> int:
    """Return the bytes that are in use."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size


def _state(file: Path) -> str:
    """Return what is trusted to change with the bytes of a file, ctime in ns last; "" where there is no file."""
    try:
        found = file.stat()
    except OSError:
        return ""
    if not stat.S_ISREG(found.st_mode):
        return ""
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _own(*parts: object) -> bytes:
    """Return the digest that a row has of its other columns."""
    found = blake2b(digest_size=8)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode(errors="replace")
        found.update(len(data).to_bytes(8, "big") + data)
    return found.digest()
