"""Reads the small tables of `validate`: the scores with their intervals, and the counts on every sheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.base.errors import problem
from stages.convergence.gains import COUNTS
from stages.ruler.scores.score_rows import COLUMNS

SCORES = Path("data/validate/scores.csv")
SHEETS = Path("data/validate/sheets.csv")
_TEXTS = ("split", "part", "name", "image_id", "group", "class_name", "kind", "error")  # a class may be called NA
_MEND = "Run `dvc repro`, or `dvc checkout` to restore it."


def read_scores(file: Path = SCORES) -> pd.DataFrame:
    """Return a row per split, part and name, as score_tables.py writes it; undefined numbers are NaN."""
    return _read(file, COLUMNS)


def read_sheets(file: Path = SHEETS, *, split: str = "val") -> pd.DataFrame:
    """Return image_id, group, tp, fp, fn of the labelled sheets of `split`, sorted by image_id."""
    table = _read(file, ["split", "image_id", "group", "confidence", *COUNTS])
    return table.loc[table["split"] == split, ["image_id", "group", *COUNTS]].sort_values("image_id", ignore_index=True)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a small table of `validate` or `analyze` as plain values, undefined ones as None, for JSON."""
    table = _typed(file)
    objects = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in objects.to_dict("records")]


def _read(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    table = _typed(file)
    lacking = [name for name in columns if name not in table.columns]
    if lacking:
        found = f"none of {', '.join(lacking)}"
        raise problem("score_files.columns", file, columns=", ".join(columns), found=found, mend=_MEND)
    return table[list(columns)]


def _typed(file: Path) -> pd.DataFrame:
    """Return a table, all but the known texts as numbers; raise `UserError` when it is missing or damaged."""
    if not file.is_file():
        raise problem("score_files.table", file, mend=_MEND)
    try:
        table = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8")
        numbers = [name for name in table.columns if name not in _TEXTS]
        return table.assign(**{name: pd.to_numeric(table[name].mask(table[name] == "")) for name in numbers})
    except ValueError as error:
        line = " ".join(str(error).split())[:120]
        raise problem("score_files.numbers_columns_numbers", file, line=line, mend=_MEND) from error
