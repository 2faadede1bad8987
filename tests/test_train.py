"""What `train` decides before it starts a training."""

from pathlib import Path

import pytest

from stages.dataset.sheets.split_folder import Sheet
from stages.train import CALIBRATION_SHEETS, calibration_sheets


@pytest.mark.parametrize(
    ("count", "chosen"),
    [(1, [0]), (8, list(range(8))), (9, [0, 2, 4, 6, 8]), (15, list(range(0, 15, 2))), (17, [0, 3, 6, 9, 12, 15])],
)
def test_calibration_sheets_are_spread_and_few(count: int, chosen: list[int]) -> None:
    sheets = [Sheet(Path(f"{i}.png"), Path(f"{i}.txt")) for i in range(count)]
    assert [int(sheet.image.stem) for sheet in calibration_sheets(sheets)] == chosen


def test_never_more_than_planned() -> None:
    sheet = Sheet(Path("a.png"), Path("a.txt"))
    assert all(len(calibration_sheets([sheet] * count)) <= CALIBRATION_SHEETS for count in range(1, 300))
