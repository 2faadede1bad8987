"""How large a picture is, from its header: a sheet of 100 megapixels is not decoded for two numbers."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

SOURCE = Path(__file__)
ORIENTATION = 274  # the tag of EXIF
TURNED = range(5, 9)  # orientations that swap width and height
_UNLIMITED = Lock()  # PIL's limit is one for the whole process


@contextmanager
def opened(file: Path | BytesIO) -> Iterator[Any]:
    """Give PIL's image of `file`, whose header alone is read: a large drawing is no bomb where nothing decodes."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd EXIF
        with _UNLIMITED:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(file)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with image:
            yield image


def image_size(file: Path | BytesIO) -> tuple[int, int] | None:
    """Return width and height in px as `read_bgr` gives them; None where PIL cannot tell, though OpenCV may decode."""
    try:
        with opened(file) as image:
            return shown_size(image)
    except Exception:  # PIL raises whatever it stumbles over
        return None


def shown_size(image: Any) -> tuple[int, int]:
    """Return width and height of PIL's `image` after EXIF's turn, which PIL has counted in for a TIFF alone."""
    width, height = image.size
    return (height, width) if orientation(image) in TURNED and image.format != "TIFF" else (width, height)


def orientation(image: Any) -> int:
    """Return the orientation in the EXIF of PIL's `image`, 1 to 8; 1 where it says none."""
    value = image.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1
