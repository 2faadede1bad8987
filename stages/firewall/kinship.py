"""Finds which image files are copies of one sheet, among themselves or against others."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from stages.base.file_facts import digests
from stages.firewall.copies import Fingerprint, groups
from stages.firewall.fingerprinting import sheet_looks
from stages.firewall.grey_squares import GreySquares
from stages.firewall.signatures import copies, links
from stages.wording.progress import Say, told

_MANY = 2000  # images whose comparison takes seconds


def fingerprints(files: Mapping[str, Path], *, say: Say | None = None) -> dict[str, Fingerprint]:
    """Return the fingerprint of every image that decodes; whoever reads the others says what is wrong with them."""
    found: dict[str, Fingerprint] = {}
    squares = GreySquares()
    looks = zip(files, sheet_looks(list(files.values())), strict=True)
    for name, look in told(looks, total=len(files), what="images looked at for copies", say=say):
        if look and not look.decoded.found:
            found[name] = look.fingerprint(squares)
    return found


def copies_among(files: Mapping[str, Path], *, say: Say | None = None) -> list[tuple[str, ...]]:
    """Return the sets of names whose images are copies of one sheet, each sorted.

    Of files with the same content, certain copies even where there is nothing to see on a sheet, one is looked at.
    """
    equal = _by_content(files)
    prints = fingerprints({names[0]: files[names[0]] for names in equal.values()}, say=say)
    if say and len(prints) >= _MANY:
        say(f"comparing {len(prints)} images")
    return groups([*(pair for names in equal.values() for pair in pairwise(names)), *links(prints)])


def copies_of(mine: Mapping[str, Path], others: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Return the pairs (of `mine`, of `others`) that are copies of one sheet, sorted."""
    return sorted({*_same_bytes(mine, others), *copies(fingerprints(mine), fingerprints(others))})


def _same_bytes(mine: Mapping[str, Path], others: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Return the pairs of files with the same content."""
    here, there = _by_content(mine), _by_content(others)
    pairs = ((name, other) for digest in here for name in here[digest] for other in there.get(digest, []))
    return [pair for pair in pairs if pair[0] != pair[1]]


def _by_content(files: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return the names of the files of each content, by its digest."""
    found: dict[str, list[str]] = {}
    known = digests(files.values())
    for name, file in files.items():
        found.setdefault(known[file], []).append(name)
    return found
