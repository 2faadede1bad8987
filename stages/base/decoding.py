"""Decodes images, and refuses damaged ones instead of guessing the rest."""

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.base.errors import UserError, problem
from stages.base.file_facts import code_of, kind_of, looked_at
from stages.base.image_size import image_size

SOURCE = Path(__file__)
_CODE = code_of([SOURCE])
PACKAGES = ("numpy", "opencv-python")  # that decide what comes out
MOST_PIXELS = 2**30  # that OpenCV decodes: a square of 32,768 px
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


class Decoded(NamedTuple):
    """What decoding a file gave: its size in px, its highest value (0 to 255), or what was `found` in its place."""

    width: int
    height: int
    brightest: int
    found: str = ""


def read_bgr(file: Path) -> NDArray[np.uint8]:
    """Return the image as (height, width, 3), blue green red; raise `UserError` when it does not decode whole."""
    return decode_bgr(picture_bytes(file), file)


def picture_bytes(file: Path) -> bytes:
    """Return what is in an image file; raise `UserError` where nothing can be read."""
    try:
        return file.read_bytes()
    except OSError as error:  # a link into an emptied cache, a folder called x.png
        raise problem("decoding.read_bgr", file, found=str(error.strerror)) from error


def decode_bgr(data: bytes, file: Path) -> NDArray[np.uint8]:
    """Return the image in `data`, the content of `file`, as `read_bgr` does; the file itself is not opened."""
    image, found = decode(data)
    if image is None:
        raise undecodable(file, found)
    return image


def decode(data: bytes) -> tuple[NDArray[np.uint8] | None, str]:
    """Return the image in `data` as `read_bgr` does, or None and what was found in its place."""
    import cv2

    # OpenCV fills the missing rest of a truncated JPEG with grey and says nothing.
    truncated = data.startswith(_JPEG_START) and _JPEG_END not in data[-64_000:]
    try:
        image = None if truncated or not data else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # of sheets that are too large; of others it returns None
        image = None
    if image is None:
        width, height = image_size(BytesIO(data)) or (0, 0)
        if width * height > MOST_PIXELS:
            return None, f"{width} x {height} px, where {MOST_PIXELS:,} px at most decode"
        return None, "an empty file" if not data else "a truncated JPEG" if truncated else "bytes that do not decode"
    return cast(NDArray[np.uint8], image), ""


def undecodable(file: Path, found: str) -> UserError:
    """Return the refusal of a file in which `found` stands in place of an image."""
    return problem("decoding.image", file, found=found)


def require_decodable(files: Iterable[Path]) -> None:
    """Raise `UserError` for the first file that does not decode; what decoded once is not decoded again."""
    some = list(files)
    for file, values in zip(some, looked_at(some, [decoded_kind()], lambda data: [pack(*decode(data))]), strict=True):
        if values is None:
            read_bgr(file)  # says why it cannot be read
        elif found := unpacked(values[0]).found:
            raise undecodable(file, found)


def decoded_kind() -> str:
    """Return the kind under which `pack` is kept."""
    return kind_of("decoded", _CODE, PACKAGES)


def pack(image: NDArray[np.uint8] | None, found: str) -> bytes:
    """Return what `decode` gave as the bytes of a `Decoded`."""
    height, width = image.shape[:2] if image is not None else (0, 0)
    return json.dumps(Decoded(width, height, int(image.max()) if image is not None else 0, found)).encode()


def unpacked(value: bytes) -> Decoded:
    """Return the `Decoded` in what `pack` made."""
    return Decoded(*json.loads(value))
