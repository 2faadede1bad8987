"""The picture of a sheet as a browser can show it."""

from pathlib import Path

from stages.base.decoding import read_bgr

_SHOWN = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".bmp": "image/bmp", ".webp": "image/webp"}


def picture(file: Path) -> tuple[bytes, str]:
    """Return the bytes of an image and their type: as they are, or as PNG where no browser knows the format (TIFF).

    Raises `UserError` for an image that is gone or does not decode.
    """
    kind = _SHOWN.get(file.suffix.lower())
    if kind is not None and file.is_file():
        return file.read_bytes(), kind
    import cv2

    _, data = cv2.imencode(".png", read_bgr(file))
    return data.tobytes(), "image/png"
