"""Knows tiles of large sheets by their names (`plan_0_0_640_480.png`, as SAHI writes) that overlap: no copies."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from stages.dataset.defects import Defect, Severity, finding
from stages.formats.source_sheets import SourceSheet

TILES = "tiles"
_TILE = re.compile(r"(.+)_(\d+)_(\d+)_(\d+)_(\d+)")  # of a stem: the sheet's name, x1 y1 x2 y2


def tile_findings(sheets: Sequence[SourceSheet]) -> list[Defect]:
    """Return a finding for tiles that overlap: a warning where splits share a part of a sheet, else a note."""
    tiles: dict[str, list[tuple[SourceSheet, list[int]]]] = {}
    for sheet in sheets:
        match = _TILE.fullmatch(sheet.item.image.stem)
        if match:
            tiles.setdefault(match[1], []).append((sheet, [int(number) for number in match.groups()[1:]]))
    overlapping = [group for group in tiles.values() if _overlap([corners for _, corners in group])]
    shared = [group for group in overlapping if len({sheet.split for sheet, _ in group}) > 1]
    if not overlapping:
        return []
    severity: Severity = "warning" if shared else "note"
    chosen = shared or overlapping
    first, count = chosen[0][0][0], sum(map(len, chosen))
    return [finding(severity, "tile_names.tiles", first.item.image, count=count, sheets=len(chosen))]


def _overlap(corners: Sequence[Sequence[int]]) -> bool:
    """Say whether tiles x1 y1 x2 y2 of one sheet, laid out in a grid, overlap."""
    if any(x1 >= x2 or y1 >= y2 for x1, y1, x2, y2 in corners):
        return False  # other numbers than corners
    across = min(x2 - x1 for x1, _, x2, _ in corners) > _step(x1 for x1, *_ in corners)
    return across or min(y2 - y1 for _, y1, _, y2 in corners) > _step(y1 for _, y1, *_ in corners)


def _step(starts: Iterable[int]) -> float:
    places = sorted(set(starts))
    return min((b - a for a, b in pairwise(places)), default=float("inf"))
