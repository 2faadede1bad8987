"""Takes the fingerprint of a sheet from its pixels, and keeps it: a sheet is decoded for it once, ever."""

import math
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.base import decoding
from stages.base.decoding import Decoded, decode, decoded_kind, read_bgr, undecodable
from stages.base.file_facts import code_of, kind_of, looked_at
from stages.firewall.copies import ORIENTATIONS, THUMB, Fingerprint, Grey, windows
from stages.firewall.grey_squares import SOFT, GreySquares, packed_square, soft_square
from stages.firewall.sheet_hashes import PROBED, bands, sheet_hashes

_NAMES = ("copies", "fingerprinting", "grey_squares", "sheet_hashes")
_OURS = tuple(Path(__file__).with_name(f"{name}.py") for name in _NAMES)
SOURCES = (decoding.SOURCE, *_OURS)  # of a fingerprint: a change of this code makes all anew
_CODE = code_of(SOURCES)
_WORDS = 4  # uint64 of a hash
_HASHES = ORIENTATIONS + len(windows())  # of a sheet
_DIGEST = sha256().digest_size


class SheetLook(NamedTuple):
    """What was seen of a sheet: what its decoding gave, and its fingerprint as it is kept (empty: it has none)."""

    decoded: Decoded
    packed: bytes

    def fingerprint(self, squares: GreySquares | None = None) -> Fingerprint:
        """Return the fingerprint, only of a sheet that decodes; with `squares`, its grey values are held there."""
        return _unpacked(self.packed, squares or GreySquares())


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
    soft, digest = soft_square(thumb), sha256(thumb.tobytes()).digest()
    return Fingerprint(*sheet_hashes(thumb, crops=crops), digest, lambda: thumb, lambda: soft)


def fingerprint_file(file: Path, squares: GreySquares | None = None) -> Fingerprint:
    """Return the fingerprint of an image file; raise `UserError` when it does not decode whole.

    Whoever asks for many has their grey values held in `squares`.
    """
    look = next(sheet_looks([file]))
    if look is None:
        return fingerprint(read_bgr(file))  # which says why it cannot be read
    if look.decoded.found:
        raise undecodable(file, look.decoded.found)
    return look.fingerprint(squares)


def _look(data: bytes) -> tuple[bytes, bytes]:
    image, found = decode(data)
    return decoding.pack(image, found), b"" if image is None else _packed(fingerprint(image))


def _packed(one: Fingerprint) -> bytes:
    hashes = one.turned.tobytes() + one.windows.tobytes()
    return hashes + one.unsure.tobytes() + one.digest + one.soft().tobytes() + packed_square(one.thumb)


def _unpacked(value: bytes, squares: GreySquares) -> Fingerprint:
    shape = (ORIENTATIONS, len(bands()), PROBED)
    ends = np.cumsum([0, _HASHES * _WORDS * 8, math.prod(shape), _DIGEST, SOFT**2]).tolist()
    hashes, unsure, digest, soft = (value[start:end] for start, end in pairwise(ends))  # copies: the rest is not held
    words = np.frombuffer(hashes, np.uint64).reshape(_HASHES, _WORDS)
    places = np.frombuffer(unsure, np.uint8).reshape(shape)
    both = squares.put(value[ends[-1] :]), squares.put_soft(soft)
    return Fingerprint(words[:ORIENTATIONS], words[ORIENTATIONS:], places, digest, *both)


def _thumb(image: NDArray[np.uint8]) -> Grey:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    # A square, so that a sheet that a tool has stretched to one compares as well.
    return cast(Grey, cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA))
