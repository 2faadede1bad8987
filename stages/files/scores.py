"""Reads the small tables of `validate`: the scores with their intervals, and the counts on every sheet."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages.core.errors import problem
from stages.core.gains import COUNTS
from stages.core.scores import COLUMNS

SCORES = Path("data/validate/scores.csv")
SHEETS = Path("data/validate/sheets.csv")
_TEXTS = ("split", "part", "name", "image_id", "group")  # a class may be called NA


def read_scores(file: Path = SCORES) -> pd.DataFrame:
    """Return a row per split, part and name, as stages/core/scores.py writes it; undefined numbers are NaN."""
    return _read(file, COLUMNS)


def read_sheets(file: Path = SHEETS, *, split: str = "val") -> pd.DataFrame:
    """Return image_id, group, tp, fp, fn of the labelled sheets of `split`, sorted by image_id."""
    table = _read(file, ["split", "image_id", "group", "confidence", *COUNTS])
    return table.loc[table["split"] == split, ["image_id", "group", *COUNTS]].sort_values("image_id", ignore_index=True)


def _read(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table; raise `UserError` when it is missing, damaged or has other columns."""
    mend = "Run `dvc repro`, or `dvc checkout` to restore it."
    if not file.is_file():
        raise problem(file, expected="a table", found="no file", mend=mend)
    numbers = [name for name in columns if name not in _TEXTS]
    try:
        table = pd.read_csv(file, dtype=dict.fromkeys(_TEXTS, "str"), keep_default_na=False, encoding="utf-8")
        table = table.assign(**{name: pd.to_numeric(table[name].replace("", None)) for name in numbers})
    except (ValueError, KeyError) as error:
        line = " ".join(str(error).split())[:120]
        raise problem(file, expected=f"a table of {', '.join(columns)}", found=line, mend=mend) from error
    return table[list(columns)]
