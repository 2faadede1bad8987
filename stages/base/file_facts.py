"""Keeps what was found out about files, so that nobody hashes or decodes one twice.

A value is kept under the SHA-256 of the bytes that it was found out from and a kind, whose name holds a digest of the
code that did it: other bytes or other code are another key, and no value is ever out of date. The store is one SQLite
file in `.scratch`, which neither Git nor DVC sees. It may be deleted at any time, and where it cannot be read or
written, all is found out anew: what a command returns is the same with and without it. SQLite's journal keeps it whole
through a kill and between processes; each row has a digest of its own, and a broken or foreign one is replaced.

To know the SHA-256 of a file without reading it, its state is trusted, as Git does: a file at the same path with the
same device, inode, size, and times of the last write (mtime) and of the inode's last change (ctime) has the same bytes.
No program can set ctime, and every write moves it. Two writes within one tick of the clock share it, though, so a state
is kept only `_SETTLED` after it (Git's racily clean files). What is not seen are bytes that change without a write (a
disk that rots), and a write in the very moments after a read, on a file server whose clock is behind by `_SETTLED`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from stages.base.fact_store import FactStore

_BATCH = 64  # files between two writes: what a kill costs
Look = Callable[[bytes], Sequence[bytes]]


def code_of(sources: Iterable[Path]) -> str:
    """Return a digest of the files `sources`; asked when they are imported, it is that of the code that runs."""
    return digest_of(source.read_bytes() for source in sources)


@cache
def kind_of(name: str, code: str, packages: tuple[str, ...]) -> str:
    """Return the kind of what is found out by `code`, as `code_of` returns it, with the installed `packages`."""
    return f"{name} {digest_of([code.encode(), *(version(one).encode() for one in packages)])[:16]}"


def digests(files: Iterable[Path]) -> dict[Path, str]:
    """Return the SHA-256 of each file as hex, "" where there is none; one that is known is not read."""
    found: dict[Path, str] = {}
    for some in _batches(list(files)):
        with FactStore() as store:
            store.recall(some)
            found |= {file: content.sha256 if content else "" for file in some for content in [store.content(file)]}
    return found


def looked_at(files: Sequence[Path], kinds: Sequence[str], look: Look) -> Iterator[Sequence[bytes] | None]:
    """Yield for each file, in their order, a value of some kB for each of `kinds`; None for one that cannot be read.

    `look` finds them out from the bytes of a file, where one of them is not known.
    """
    for some in _batches(files):
        with FactStore() as store:
            store.recall(some, kinds)
            values = [_values(store, file, kinds, look) for file in some]
        yield from values


def remembered(keys: Sequence[str], kind: str, find: Callable[[int], bytes | None]) -> Iterator[bytes | None]:
    """Yield a value for each of `keys`, digests of what it is of: the known one, or what `find` says of the place.

    `find` is called when it is the key's turn; None is not kept.
    """
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        with FactStore() as store:
            store.recall_facts(some, [kind])
            for place, key in enumerate(some, start):
                value = store.facts(key, [kind])[0]
                if value is None and (value := find(place)) is not None:
                    store.keep(key, kind, value)
                yield value


def digest_of(parts: Iterable[bytes]) -> str:
    """Return one digest of several, as hex."""
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()


def _batches(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    return (files[start : start + _BATCH] for start in range(0, len(files), _BATCH))


def _values(store: FactStore, file: Path, kinds: Sequence[str], look: Look) -> Sequence[bytes] | None:
    content = store.content(file)
    known = store.facts(content.sha256, kinds) if content else []
    values = [value for value in known if value is not None]
    if content and len(values) == len(kinds):
        return values
    try:
        data = content.data if content and content.data is not None else file.read_bytes()
    except OSError:
        return None
    values = list(look(data))
    # Of what was looked at: the file may be another one by now.
    digest = content.sha256 if content and data is content.data else sha256(data).hexdigest()
    for kind, value in zip(kinds, values, strict=True):
        store.keep(digest, kind, value)
    return values
