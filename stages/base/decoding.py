"""Decodes images, and refuses damaged ones instead of guessing the rest."""

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stages.base.errors import problem

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


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
    import cv2

    # OpenCV fills the missing rest of a truncated JPEG with grey and says nothing.
    truncated = data.startswith(_JPEG_START) and _JPEG_END not in data[-64_000:]
    image = None if truncated or not data else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        found = "an empty file" if not data else "a truncated JPEG" if truncated else "bytes that do not decode"
        raise problem("decoding.image", file, found=found)
    return cast(NDArray[np.uint8], image)
