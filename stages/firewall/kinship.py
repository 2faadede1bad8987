"""Finds which image files are copies of one sheet, among themselves or against others."""

from collections.abc import Callable, Mapping
from pathlib import Path

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import file_sha256
from stages.firewall.copies import Fingerprint, groups
from stages.firewall.signatures import copies, fingerprint_file

_MANY = 500  # images between two lines that say how far it is


def fingerprints(files: Mapping[str, Path], *, say: Callable[[str], None] | None = None) -> dict[str, Fingerprint]:
    """Return the fingerprint of every image that decodes; whoever reads the others says what is wrong with them."""
    found: dict[str, Fingerprint] = {}
    for number, (name, file) in enumerate(files.items()):
        if say and number and number % _MANY == 0:
            say(f"{number} of {len(files)} images compared")
        try:
            found[name] = fingerprint_file(file)
        except UserError:
            continue
    return found


def copies_among(files: Mapping[str, Path], *, say: Callable[[str], None] | None = None) -> list[tuple[str, ...]]:
    """Return the sets of names whose images are copies of one sheet, each sorted."""
    prints = fingerprints(files, say=say)
    return groups([*_same_bytes(files, files), *copies(prints, prints)])


def copies_of(mine: Mapping[str, Path], others: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Return the pairs (of `mine`, of `others`) that are copies of one sheet, sorted."""
    return sorted({*_same_bytes(mine, others), *copies(fingerprints(mine), fingerprints(others))})


def _same_bytes(mine: Mapping[str, Path], others: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Return the pairs of files with the same content: certain, even where there is nothing to see on a sheet."""
    digests = {file: file_sha256(file) for file in {*mine.values(), *others.values()}}
    named: dict[str, list[str]] = {}
    for name, file in others.items():
        named.setdefault(digests[file], []).append(name)
    return [(name, other) for name, file in mine.items() for other in named.get(digests[file], []) if other != name]
