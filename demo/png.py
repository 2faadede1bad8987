"""PNG files whose bytes are the same on every machine.

A PNG holds a zlib stream, and builds of zlib (zlib-ng, Intel's, Cloudflare's) pack the same pixels into different
bytes. Stored blocks hold the pixels as they are, so the pixels alone decide the bytes.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_LONGEST = 65535  # bytes that one stored block can hold


def png_bytes(grey: NDArray[np.uint8]) -> bytes:
    """Return an 8-bit grey PNG of `grey`, (height, width), both at least 1. Raises ValueError for another array."""
    if grey.ndim != 2 or grey.dtype != np.uint8 or grey.size == 0:
        raise ValueError(
            f"expected a (height, width) array of uint8 that holds pixels, found {grey.shape} {grey.dtype}"
        )
    height, width = grey.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey, not interlaced
    rows = np.zeros((height, width + 1), np.uint8)  # each row starts with its filter: 0, none
    rows[:, 1:] = grey
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(rows.tobytes())) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _stored(data: bytes) -> bytes:
    """Return `data` as a zlib stream of blocks that are not compressed (RFC 1950 and 1951)."""
    starts = range(0, len(data), _LONGEST)
    blocks = (_block(data[at : at + _LONGEST], last=at + _LONGEST >= len(data)) for at in starts)
    return b"\x78\x01" + b"".join(blocks) + struct.pack(">I", zlib.adler32(data))


def _block(part: bytes, *, last: bool) -> bytes:
    return struct.pack("<BHH", int(last), len(part), len(part) ^ 0xFFFF) + part


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
