"""Cuts crops out of sheets and saves them."""

import hashlib
import math
import re
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stages.base.atomic import replacing

Image = NDArray[np.uint8]  # (height, width, 3), blue green red
_LONGEST_NAME = 70  # bytes of one part of a file name; file systems take 255 for the whole
_BOX_COLOUR = (40, 40, 220)  # red, as OpenCV orders it


def to_grey(image: Image) -> NDArray[np.uint8]:
    """Return the grey values, (height, width), of an image (height, width, 3)."""
    import cv2

    return cast(NDArray[np.uint8], cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def cut(image: Image, xyxy: NDArray[np.float64], *, padding: int) -> Image:
    """Return a copy of the box with `padding` px around it, as far as the image reaches, its outline drawn.

    At least one pixel, even of a box outside the image.
    """
    import cv2

    height, width = image.shape[:2]
    left, top = math.floor(xyxy[0]), math.floor(xyxy[1])
    right, bottom = math.ceil(xyxy[2]), math.ceil(xyxy[3])
    x1, x2 = _inside(left - padding, right + padding, width)
    y1, y2 = _inside(top - padding, bottom + padding, height)
    crop = image[y1:y2, x1:x2].copy()
    # One pixel outside the box, so that the line hides nothing of the object.
    cv2.rectangle(crop, (left - 1 - x1, top - 1 - y1), (right - x1, bottom - y1), _BOX_COLOUR, 1)
    return crop


def save_image(image: Image, file: Path, *, quality: int = 92) -> None:
    """Write an image as the suffix of `file` says (.jpg or .png), whole or not at all."""
    import cv2

    options: list[int] = [cv2.IMWRITE_JPEG_QUALITY, quality] if file.suffix.lower() in (".jpg", ".jpeg") else []
    done, data = cv2.imencode(file.suffix, image, options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape} as {file.suffix}")
    with replacing(file) as temporary:
        temporary.write_bytes(data.tobytes())


def safe_name(text: str) -> str:
    """Return `text` as part of a file name: letters, digits, '.', '_' and '-' only, and not too long.

    Different texts stay different: what had to be changed gets a few letters of its hash.
    """
    safe = re.sub(r"[^\w.-]+", "_", text).encode()[:_LONGEST_NAME].decode(errors="ignore").lstrip(".")
    return safe if safe == text else f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _inside(low: int, high: int, end: int) -> tuple[int, int]:
    """Return the part of low..high within 0..end, at least one pixel of it."""
    start = min(max(low, 0), end - 1)
    return start, max(min(high, end), start + 1)
