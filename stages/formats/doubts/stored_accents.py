"""Names whose accents a Mac stores apart from their letters, and other systems with them: both are one name."""

import unicodedata
from pathlib import Path


def composed(name: str) -> str:
    """Return `name` with each accent on its letter."""
    return unicodedata.normalize("NFC", name)


def as_stored(file: Path) -> Path:
    """Return `file`, or where only a file of the same name with its accents stored in the other way is there, that."""
    if file.name.isascii() or file.is_file():
        return file
    others = (file.with_name(unicodedata.normalize(form, file.name)) for form in ("NFC", "NFD"))
    return next((other for other in others if other.is_file()), file)
