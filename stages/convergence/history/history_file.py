"""Reads and writes the history of the loop as CSV, and refuses one that an iteration cannot be built on."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages.base.errors import UserError, problem
from stages.base.tables import write_csv
from stages.convergence.history.history_columns import LATER, classes_of, column_types, is_unbroken

CARRIED = Path("metrics/history.csv")  # rows 0..N-1: what iteration N was started with


def read_carried(iteration: int, classes: Sequence[str], file: Path = CARRIED) -> pd.DataFrame:
    """Return the history that iteration `iteration` builds on: exactly the rows 0..iteration-1.

    Raises `UserError` when the file is missing or damaged, speaks of other classes, or does not end one
    before `iteration`; then the message names both ways on.
    """
    history = read_history(file, classes)
    done = len(history)
    if iteration != done:
        raise _does_not_follow(iteration, done, file)
    return history


def read_history(file: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Return the history in `file`, typed as `column_types` says; undefined numbers are NA, empty text is "".

    Raises `UserError` when the file is missing, damaged, of other classes, or skips an iteration.
    """
    texts = _read_texts(file)
    texts = texts.assign(**{name: "" for name in LATER if name not in texts.columns})
    types = column_types(classes)
    if list(texts.columns) != list(types):
        raise _other_columns(texts.columns.tolist(), classes, file)
    try:
        numeric = [name for name, kind in types.items() if kind != "str"]
        numbers = {name: pd.to_numeric(texts[name].mask(texts[name] == "")) for name in numeric}
        history = texts.assign(**numbers).astype(types)
    except (ValueError, TypeError) as error:
        raise _damaged(file, "numbers in the columns of numbers", str(error)) from error
    if not is_unbroken(history["iteration"].tolist()):
        found = ", ".join(map(str, history["iteration"]))
        raise _damaged(file, f"the iterations 0 to {len(history) - 1}, each once and in order", found)
    return history


def write_history(history: pd.DataFrame, file: Path) -> None:
    """Write `history` as CSV; an empty one is its header."""
    write_csv(history, file)


def _read_texts(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise problem("history_file.history_was_carried", file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream, strict=True) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise _damaged(file, "a CSV table", str(error)) from error
    # pandas would fill a short row up, and take the first cells of a long one as names of rows
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise _damaged(file, "a header and rows of as many cells", "other lengths" if rows else "nothing")
    return pd.DataFrame(rows[1:], columns=rows[0], dtype="str")


def _damaged(file: Path, expected: str, found: str) -> UserError:
    return problem("history_file.damaged", file, expected=expected, line=" ".join(found.split())[:120], file=file)


def _other_columns(columns: list[str], classes: Sequence[str], file: Path) -> UserError:
    found = classes_of(columns)
    if found == list(classes):
        wanted = list(column_types(classes))
        differing = [name for name in (*wanted, *columns) if (name in wanted) != (name in columns)]
        if "ruler" not in columns:
            raise problem("history_file.every_row_ruler", file)
        return _damaged(file, "the columns of a history", f"others: {', '.join(differing) or 'another order'}")
    return problem(
        "history_file.history_classes_params", file, classes=", ".join(classes), value=", ".join(found) or "no class"
    )


def _does_not_follow(iteration: int, done: int, file: Path) -> UserError:
    holds = f"{file} holds the iterations 0 to {done - 1}" if done else f"{file} holds no iteration"
    return problem("history_file.iteration_since", "params.yaml", done=done, holds=holds, iteration=iteration)
