"""Holds the grey squares of many sheets, so that memory does not grow by 64 kB with each sheet.

Few sheets are laid on another. The squares lie packed in a scratch file without a name, which is gone with whoever made
it, however that ends; the last ones that were asked for stay at hand.
"""

import os
import tempfile
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, cast

import numpy as np

from stages.firewall.copies import THUMB, Grey

# Of a drawing it makes a third or less in 0.1 ms; zlib, which takes four times as long, brings no more.
_CODEC = "zstd"
SOFT = 64  # px: side of a soft square
_BLURRED, _BLUR = 128, 1.0  # px: side of the square that is blurred, and by how much: lines must not fall through
AT_HAND = 512  # squares, 32 MiB
_IN_MEMORY = 2**24  # bytes that are held before there is a file: a small set needs none
Key = TypeVar("Key")
Value = TypeVar("Value")


def soft_square(grey: Grey) -> Grey:
    """Return a square (THUMB, THUMB) blurred and small, (SOFT, SOFT); a turned one's is the same, turned."""
    import cv2

    square = cv2.resize(grey, (_BLURRED, _BLURRED), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(square, (0, 0), _BLUR)
    return cast(Grey, cv2.resize(blurred, (SOFT, SOFT), interpolation=cv2.INTER_AREA))


def packed_square(grey: Grey) -> bytes:
    """Return a square in few bytes."""
    from pyarrow import compress  # a check of sheets that are known needs none of it

    return cast(bytes, compress(grey.tobytes(), codec=_CODEC, asbytes=True))


def unpacked_square(packed: bytes) -> Grey:
    """Return the square that `packed_square` packed."""
    from pyarrow import decompress

    found = decompress(packed, decompressed_size=THUMB * THUMB, codec=_CODEC, asbytes=True)
    return np.frombuffer(found, np.uint8).reshape(THUMB, THUMB)


class Recent(Generic[Key, Value]):
    """Holds the `most` values that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Key, Value] = {}  # the one that was asked for last comes last

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of the key, made if it is not held."""
        found = self._values.pop(key) if key in self._values else make()
        self._values[key] = found
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
        return found


class GreySquares:
    """The squares of one set of sheets; where no scratch file can be written, they are held in memory, packed."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._held = 0  # bytes in memory
        self._end = 0  # of the file
        self._count = 0
        self._recent: Recent[int, Grey] = Recent(AT_HAND)

    def put(self, packed: bytes) -> Callable[[], Grey]:
        """Take a packed square, and return what gives it back."""
        self._count += 1
        return partial(self._square, self._count, self._taken(packed))

    def put_soft(self, soft: bytes) -> Callable[[], Grey]:
        """Take the bytes of a soft square, and return what gives it back: at once, so none is held at hand."""
        return partial(_soft, self._taken(soft))

    def _taken(self, data: bytes) -> Callable[[], bytes]:
        place = self._written(data)
        return partial(_same, data) if place is None else partial(self._read, place, len(data))

    def _written(self, packed: bytes) -> int | None:
        """Return where in the file the bytes are now; None where they have to be held."""
        if self._held + len(packed) > _IN_MEMORY:
            try:
                if os.pwrite(self._opened(), packed, self._end) == len(packed):
                    self._end += len(packed)
                    return self._end - len(packed)
            except OSError:  # a full disk
                pass
        self._held += len(packed)
        return None

    def _opened(self) -> int:
        if self._file is None:
            self._file, name = tempfile.mkstemp(prefix="yoloop-")
            weakref.finalize(self, os.close, self._file)
            Path(name).unlink()
        return self._file

    def _read(self, place: int, size: int) -> bytes:
        return os.pread(self._opened(), size, place)

    def _square(self, number: int, read: Callable[[], bytes]) -> Grey:
        return self._recent.get(number, lambda: unpacked_square(read()))


def _soft(read: Callable[[], bytes]) -> Grey:
    return np.frombuffer(read(), np.uint8).reshape(SOFT, SOFT)


def _same(packed: bytes) -> bytes:
    return packed
