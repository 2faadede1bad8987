"""Toy sheets that a detector has to look at."""

from pathlib import Path

import pytest

from stages.dataset.sheets.split_folder import Sheet, sheets_in
from tests.toy import write_yolo_folder


@pytest.fixture
def sheets(workplace: Path) -> list[Sheet]:
    """Four hard sheets."""
    return sheets_in(write_yolo_folder(workplace / "hard", {"val": 4}, seed=5, hard=True) / "val")
