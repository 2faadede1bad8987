"""Tiles of one sheet are known by their names, and only if they overlap."""

import shlex
from pathlib import Path

import pytest

from stages.firewall.grouping import read_groups
from stages.formats.source_sheets import SourceSheet
from stages.formats.yolo_folder import Item
from stages.intake.contract.tile_names import tile_findings


def sheets(*names: tuple[str, str]) -> list[SourceSheet]:
    return [SourceSheet(split, Item(Path(f"{name}.png"), Path(f"{name}.txt"))) for split, name in names]


@pytest.mark.parametrize(
    ("names", "severity"),
    [
        ([("train", "plan_0_0_640_480"), ("val", "plan_320_0_960_480")], "warning"),
        ([("train", "plan_0_0_640_480"), ("train", "plan_320_0_960_480")], "note"),
        ([("train", "plan_0_0_640_480"), ("val", "plan_0_240_640_720")], "warning"),
        ([("train", "plan_0_0_640_480"), ("val", "plan_640_0_1280_480")], None),  # side by side
        ([("train", "plan_0_0_640_480"), ("val", "other_320_0_960_480")], None),
        ([("train", "plan_2024_1_12_3"), ("val", "plan_2024_1_13_3")], None),  # dates
        ([("train", "a"), ("val", "b")], None),
    ],
)
def test_tiles(names, severity):
    assert [one.severity for one in tile_findings(sheets(*names))] == [severity] * (severity is not None)


def test_the_pattern_that_is_advised_keeps_the_tiles_of_a_sheet_together():
    (found,) = tile_findings(sheets(("train", "plan_0_0_640_480"), ("val", "plan_320_0_960_480")))
    *_, option, pattern = shlex.split(found.mend)
    assert option == "--group-pattern"
    names = ["plan_0_0_640_480.png", "plan_320_0_960_480.png", "a_b_0_0_64_48.tif", "other.png"]
    assert read_groups(names, pattern=pattern, file=None) == dict(zip(names, ("plan", "plan", "a_b"), strict=False))
