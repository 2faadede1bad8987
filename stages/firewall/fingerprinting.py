"""Takes the fingerprint of a sheet from its pixels, and keeps it: a sheet is decoded for it once, ever."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.base import decoding
from stages.base.decoding import Decoded, decode, decoded_kind, read_bgr, undecodable
from stages.base.file_facts import code_of, kind_of, looked_at
from stages.firewall.copies import ORIENTATIONS, THUMB, Fingerprint, windows
from stages.firewall.sheet_hashes import sheet_hashes

_OURS = tuple(Path(__file__).with_name(f"{name}.py") for name in ("copies", "fingerprinting", "sheet_hashes"))
SOURCES = (decoding.SOURCE, *_OURS)  # of a fingerprint: a change of this code makes all anew
_CODE = code_of(SOURCES)
_WORDS = 4  # uint64 of a hash
_HASHES = ORIENTATIONS + len(windows())  # of a sheet
_LEVEL = 1  # of zlib: a thumb of a drawing shrinks to an eighth in 0.3 ms; higher levels bring 4 % more


class SheetLook(NamedTuple):
    """What was seen of a sheet: what its decoding gave, and its fingerprint as it is kept (empty: it has none)."""

    decoded: Decoded
    packed: bytes

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint; only of a sheet that decodes."""
        return _unpacked(self.packed)


def sheet_looks(files: Sequence[Path]) -> Iterator[SheetLook | None]:
    """Yield what was seen of each of `files`, in their order; None for one that cannot be read.

    Each is decoded once, ever: what was seen is kept under the content of the file.
    """
    kinds = [decoded_kind(), kind_of("fingerprint", _CODE, decoding.PACKAGES)]
    for values in looked_at(files, kinds, _look):
        yield None if values is None else SheetLook(decoding.unpacked(values[0]), values[1])


def fingerprint(image: NDArray[np.uint8], *, crops: bool = True) -> Fingerprint:
    """Return the fingerprint of a decoded image, (height, width, 3) or (height, width), in some milliseconds.

    Without `crops`, no copy that was cropped is found by it.
    """
    thumb = _thumb(image)
    return Fingerprint(*sheet_hashes(thumb, crops=crops), thumb)


def fingerprint_file(file: Path) -> Fingerprint:
    """Return the fingerprint of an image file; raise `UserError` when it does not decode whole."""
    look = next(sheet_looks([file]))
    if look is None:
        return fingerprint(read_bgr(file))  # which says why it cannot be read
    if look.decoded.found:
        raise undecodable(file, look.decoded.found)
    return look.fingerprint


def _look(data: bytes) -> tuple[bytes, bytes]:
    image, found = decode(data)
    return decoding.pack(image, found), b"" if image is None else _packed(fingerprint(image))


def _packed(one: Fingerprint) -> bytes:
    return one.turned.tobytes() + one.windows.tobytes() + zlib.compress(one.thumb.tobytes(), _LEVEL)


def _unpacked(value: bytes) -> Fingerprint:
    hashes = np.frombuffer(value, np.uint64, _HASHES * _WORDS).reshape(_HASHES, _WORDS)
    thumb = np.frombuffer(zlib.decompress(value[hashes.nbytes :]), np.uint8).reshape(THUMB, THUMB)
    return Fingerprint(hashes[:ORIENTATIONS], hashes[ORIENTATIONS:], thumb)


def _thumb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    # A square, so that a sheet that a tool has stretched to one compares as well.
    return cast(NDArray[np.uint8], cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA))
