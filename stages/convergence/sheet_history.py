"""Reads and writes, beside the history, what each iteration came to on every sheet of val: gains are paired over them.

`{"iterations": [{"iteration": 0, "ruler": "3f2a90bc", "sheets": [["a.png", tp, fp, fn], …]}, …]}`, in lists, so that
DVC's tables of metrics leave it out.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.base.atomic import replacing
from stages.base.errors import UserError, problem
from stages.base.tables import read_json
from stages.convergence.gains import COUNTS, MeasuredIteration

CARRIED_SHEETS = Path("metrics/history_sheets.json")  # iterations 0..N-1: carried in with metrics/history.csv
SHEETS = Path("metrics/converge_sheets.json")  # iterations 0..N: written by `converge`, carried over by `advance`
_COLUMNS = ["image_id", *COUNTS]


def read_carried_sheets(rulers: Sequence[str], file: Path = CARRIED_SHEETS) -> dict[int, pd.DataFrame]:
    """Return image_id, tp, fp, fn of every sheet of val, for each iteration 0, 1, … of the history.

    `rulers` are the ids of the rulers in the history's rows. Raises `UserError` when the file is missing or damaged,
    or belongs to another history.
    """
    if not file.is_file():
        raise _damaged(file, "the counts on val that were carried in with the history", "no file")
    listed = read_json(file).get("iterations")
    try:
        found = [(int(one["iteration"]), str(one["ruler"]), _frame(one["sheets"])) for one in listed or []]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, "per iteration its number, its ruler and its sheets", f"other ones ({error})") from error
    if listed is None or [one[:2] for one in found] != list(enumerate(rulers)):
        holds = ", ".join(f"{number} by {ruler}" for number, ruler, _ in found) or "none"
        raise _damaged(file, f"as many iterations as the history has ({len(rulers)})", holds)
    return {number: frame for number, _, frame in found}


def write_sheets(iterations: Sequence[MeasuredIteration], file: Path) -> None:
    """Write the counts on the sheets of `iterations`, one line each: what was there before stays byte for byte."""
    lines = [json.dumps(_plain(one), ensure_ascii=False, separators=(",", ":")) for one in iterations]
    body = ",\n".join(lines)
    with replacing(file) as temporary:
        temporary.write_text('{"iterations":[' + (f"\n{body}\n" if lines else "") + "]}\n", encoding="utf-8")


def _plain(one: MeasuredIteration) -> dict[str, Any]:
    rows = one.sheets[_COLUMNS].to_dict("split")["data"]
    return {"iteration": one.iteration, "ruler": one.ruler, "sheets": rows}


def _frame(rows: Any) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.astype({"image_id": "str", **dict.fromkeys(COUNTS, "int64")})


def _damaged(file: Path, expected: str, found: str) -> UserError:
    return problem("sheet_history.damaged", file, expected=expected, line=" ".join(found.split())[:120], file=file)
