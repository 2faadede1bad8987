"""Finds of which of many sheets a picture is a copy: turned, cropped, resized, drawn with other colours."""

from collections.abc import Mapping
from pathlib import Path

from stages.firewall.copies import Fingerprint
from stages.firewall.kinship import fingerprints
from stages.firewall.signatures import copies, fingerprint_file


class Kin:
    """Sheets by name, whose fingerprints are taken once, and only if somebody asks."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._prints: dict[str, Fingerprint] | None = None

    def of(self, image: Path) -> str | None:
        """Return the name of a sheet that the picture is a copy of, or None; raise `UserError` when it is damaged."""
        if self._prints is None:
            self._prints = fingerprints(self._files)
        pairs = copies({"": fingerprint_file(image)}, self._prints)
        return pairs[0][1] if pairs else None
