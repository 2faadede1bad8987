"""Looks at images: whether they decode, and what the decoder makes of turned, deep, transparent and CMYK ones.

The decoder is OpenCV's (`read_bgr`), and Ultralytics' is the same: both turn a picture as its EXIF says, take the high
byte of 16 bits, drop the alpha channel, and convert CMYK by the plain formula.
"""

import json
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.base.decoding import read_bgr, undecodable
from stages.base.errors import UserError
from stages.base.file_facts import code_of, kind_of, looked_at
from stages.base.image_size import SOURCE, TURNED, opened, orientation, shown_size
from stages.dataset.crops import Image
from stages.dataset.defects import Defect, finding
from stages.firewall.fingerprinting import SheetLook, sheet_looks
from stages.formats.source_sheets import Picture

_LEAST_SIDE = 10  # px: Ultralytics leaves smaller images out of the training without a word
_BITS = 258  # the tag of TIFF
_JPEG_END = b"\xff\xd9"
_CODE = code_of([Path(__file__), SOURCE])


class Header(NamedTuple):
    """What an image file says of itself, without being decoded."""

    kind: str = ""  # JPEG, PNG, TIFF, …
    mode: str = "RGB"  # of PIL
    orientation: int = 1
    bits: int = 8  # a colour
    pages: int = 1
    transparent: bool = False
    tail: bool = False  # a JPEG with bytes behind its end
    size: tuple[int, int] | None = None  # width and height in px as it is shown; None: it does not say


def look_at(files: Sequence[Path]) -> Iterator[tuple[Picture | None, list[Defect]]]:
    """Yield the size and orientation of each file (None: it does not decode), and what is odd about it.

    Each is decoded once, ever; its fingerprint, which the firewall asks for next, is taken by the way.
    """
    for file, look, header in zip(files, sheet_looks(files), read_headers(files), strict=True):
        yield _judged(file, look, header)


def read_headers(files: Sequence[Path]) -> Iterator[Header]:
    """Yield what each file says of itself; the plain header where PIL cannot tell, though OpenCV may decode it."""
    kind = kind_of("header", _CODE, ("pillow",))
    for values in looked_at(files, [kind], lambda data: [json.dumps(_header(data)).encode()]):
        found = Header(*json.loads(values[0])) if values else Header()
        yield found._replace(size=found.size and (found.size[0], found.size[1]))  # JSON knows lists alone


def _judged(file: Path, look: SheetLook | None, header: Header) -> tuple[Picture | None, list[Defect]]:
    if look is None or look.decoded.found:
        return None, [_damaged(file, str(undecodable(file, look.decoded.found) if look else _unreadable(file)))]
    width, height, brightest, _ = look.decoded
    findings = _oddities(file, header, brightest=brightest if header.bits > 8 else 255)
    if min(width, height) < _LEAST_SIDE:
        small = finding("error", "image_checks.image-too-small", file, least=_LEAST_SIDE, width=width, height=height)
        findings.append(small)
    return Picture(width, height, header.orientation), findings


def _header(data: bytes) -> Header:
    try:
        with opened(BytesIO(data)) as image:
            return Header(
                image.format or "",
                image.mode,
                orientation(image),
                _bits(image, data),
                getattr(image, "n_frames", 1) if image.format == "TIFF" else 1,
                image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info,
                image.format == "JPEG" and not data.endswith(_JPEG_END),
                shown_size(image),
            )
    except Exception:  # PIL raises whatever it stumbles over; the pixels are there all the same
        return Header()


def upright(file: Path) -> Image:
    """Return the picture as a person sees it, (height, width, 3): turned, on white paper, its bits spread over 8."""
    import cv2

    header = next(read_headers([file]))
    if header.bits <= 8 and not header.transparent:
        return read_bgr(file)
    data = np.frombuffer(file.read_bytes(), np.uint8)
    raw = cast(NDArray[Any], cv2.imdecode(data, cv2.IMREAD_UNCHANGED))
    levels = _eight_bits(raw) if raw.dtype != np.uint8 else raw
    if levels.ndim == 2:
        levels = cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR)
    if levels.shape[2] == 4:
        levels = _on_white(levels)
    return cast(Image, np.ascontiguousarray(_turn(levels, header)))


def trimmed(file: Path) -> bytes:
    """Return a JPEG without what stands behind its end."""
    data = file.read_bytes()
    return data[: data.rindex(_JPEG_END) + 2]


def _eight_bits(raw: NDArray[Any]) -> NDArray[np.uint8]:
    """Return values of 16 bits as 8, from the highest bit that the picture uses: 12-bit scans do not turn black."""
    used = max(int(raw.max()).bit_length(), 8)
    return cast(NDArray[np.uint8], (raw >> (used - 8)).astype(np.uint8))


def _on_white(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = levels[..., 3:].astype(np.float64) / 255
    return cast(NDArray[np.uint8], np.round(levels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8))


def _turn(levels: NDArray[np.uint8], header: Header) -> NDArray[np.uint8]:
    """Turn a stored picture as EXIF says; a TIFF has been turned by the decoder already."""
    if header.kind == "TIFF":
        return levels
    if header.orientation in TURNED:
        levels = levels.transpose(1, 0, 2)
    if header.orientation in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    if header.orientation in (3, 4, 7, 8):
        levels = levels[::-1]
    return levels


def _bits(image: Any, data: bytes) -> int:
    if image.format == "PNG":
        return data[24]  # of the header chunk, which is always the first
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS, (8,))
        return int(max(bits) if isinstance(bits, tuple) else bits)
    return 16 if image.mode.startswith("I") else 8


def _unreadable(file: Path) -> UserError:
    try:
        read_bgr(file)
    except UserError as error:
        return error
    return undecodable(file, "a file that is being written")  # a moment ago it could not be read


def _damaged(file: Path, text: str) -> Defect:
    """Return what `read_bgr` complains of as a finding."""
    match = re.search(r": expected an image, found (.*)\. ([^.]*\.)$", text)
    found = match.group(1) if match else text
    codes = {"an empty file": "image-empty", "a truncated JPEG": "image-truncated"}
    code = codes.get(found, "image-damaged")
    return Defect("error", code, file, None, "an image", found, match.group(2) if match else "Replace it.")


def _oddities(file: Path, header: Header, *, brightest: int) -> list[Defect]:
    """Return what the decoder makes of an unusual file, and what to do; `brightest` of 255 is in its picture."""
    found = []
    if header.orientation != 1:
        found.append(finding("warning", "image_checks.exif-turned", file, orientation=header.orientation))
    if header.bits > 8:
        dark = f", the brightest {brightest} of 255" if brightest < 128 else ""
        found.append(finding("warning", "image_checks.deep-colour", file, bits=header.bits, dark=dark))
    if header.transparent:
        found.append(finding("warning", "image_checks.transparent", file))
    if header.mode == "CMYK":
        found.append(finding("warning", "image_checks.cmyk", file))
    if header.mode in ("L", "1", "I;16", "I"):
        found.append(finding("note", "image_checks.grey", file))
    if header.pages > 1:
        found.append(finding("warning", "image_checks.pages", file, pages=header.pages))
    if header.tail:
        found.append(finding("error", "image_checks.jpeg-tail", file))
    return found
