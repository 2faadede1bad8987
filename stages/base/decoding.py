"""Decodes images, and refuses damaged ones instead of guessing the rest."""

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stages.base.errors import problem
from stages.base.image_size import image_size

MOST_PIXELS = 2**30  # that OpenCV decodes: a square of 32,768 px
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


def read_bgr(file: Path) -> NDArray[np.uint8]:
    """Return the image as (height, width, 3), blue green red; raise `UserError` when it does not decode whole."""
    import cv2

    try:
        data = file.read_bytes()
    except OSError as error:  # a link into an emptied cache, a folder called x.png
        raise problem("decoding.read_bgr", file, found=str(error.strerror)) from error
    # OpenCV fills the missing rest of a truncated JPEG with grey and says nothing.
    truncated = data.startswith(_JPEG_START) and _JPEG_END not in data[-64_000:]
    try:
        image = None if truncated or not data else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # of sheets that are too large; of others it returns None
        image = None
    if image is None:
        width, height = image_size(file) or (0, 0)
        if width * height > MOST_PIXELS:
            raise problem("decoding.too_large", file, width=width, height=height, most=f"{MOST_PIXELS:,}")
        found = "an empty file" if not data else "a truncated JPEG" if truncated else "bytes that do not decode"
        raise problem("decoding.image", file, found=found)
    return cast(NDArray[np.uint8], image)
