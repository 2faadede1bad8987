"""A stream for `tarfile` that only goes forward, in small steps: no header can make it read a lot, or for ever."""

from typing import IO

MOST = 1 << 20  # bytes that are read at once; names and notes of a member are far smaller


class LongReadError(ValueError):
    """A header asks for more than anybody writes there, or to go back."""


class Forward:
    """Reads `stream` forward."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._at = 0

    def tell(self) -> int:
        """Return how many bytes were read or skipped."""
        return self._at

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end; raises `LongReadError` for more than MOST."""
        if not 0 <= size <= MOST:
            raise LongReadError(f"a header that asks for {size} bytes")
        data = self._stream.read(size)
        self._at += len(data)
        return data

    def seek(self, position: int) -> None:
        """Skip to `position`; raises `LongReadError` for one that lies behind."""
        if position < self._at:
            raise LongReadError("a header that leads back")
        while self._at < position and self.read(min(MOST, position - self._at)):
            pass
