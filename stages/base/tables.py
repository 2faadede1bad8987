"""Reads and writes tables and metrics so that equal results are equal bytes."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stages.base.atomic import replacing
from stages.base.errors import problem

DECIMALS = 6  # of every float in a file: far below a pixel, far above the noise of the last bits


class Schema(NamedTuple):
    """Columns of a table with their pandas types, and the columns that it is sorted by."""

    columns: dict[str, str]
    key: tuple[str, ...]


def write_table(frame: pd.DataFrame, file: Path, schema: Schema) -> None:
    """Write `frame` as Parquet: the schema's columns and types, sorted by its key, floats rounded."""
    table = conform(frame, schema)
    with replacing(file) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd")


def read_table(file: Path, schema: Schema) -> pd.DataFrame:
    """Return the table in `file`; raise `UserError` when it is missing or its columns differ from the schema."""
    if not file.is_file():
        raise problem("tables.table", file)
    frame = pd.read_parquet(file)
    if list(frame.columns) != list(schema.columns):
        raise problem(
            "tables.columns", file, columns=", ".join(schema.columns), found=", ".join(map(str, frame.columns))
        )
    return conform(frame, schema)


def conform(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return `frame` with the schema's columns and types, sorted by its key, with a fresh index."""
    table = frame.reindex(columns=list(schema.columns)).astype(schema.columns)
    floats = [name for name, kind in schema.columns.items() if kind.lower() == "float64"]
    table[floats] = table[floats].round(DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
    return table.sort_values(list(schema.key), kind="stable", na_position="last").reset_index(drop=True)


def write_csv(frame: pd.DataFrame, file: Path) -> None:
    """Write a small table as CSV, floats rounded, in the order given."""
    floats = frame.select_dtypes("float").columns
    with replacing(file) as temporary:
        frame.assign(**{str(c): frame[c].round(DECIMALS) + 0.0 for c in floats}).to_csv(
            temporary, index=False, lineterminator="\n"
        )


def write_json(values: dict[str, Any], file: Path) -> None:
    """Write metrics as JSON: floats rounded, undefined numbers as null, keys in the order given."""
    with replacing(file) as temporary:
        temporary.write_text(json_text(values), encoding="utf-8")


def write_metrics(shown: dict[str, Any], details: dict[str, Any], file: Path) -> None:
    """Write `shown` at the top level and `details` in a list, which DVC's tables of metrics leave out."""
    write_json({**shown, "details": [details]}, file)


def json_text(values: dict[str, Any]) -> str:
    """Return what `write_json` writes."""
    return json.dumps(_plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in `file`; raise `UserError` when it is missing or damaged."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError as error:
        raise problem("tables.metrics", file, file=file) from error
    except ValueError as error:
        raise problem("tables.json", file, found=str(error), file=file) from error
    if not isinstance(values, dict):
        raise problem("tables.json_object", file, found=type(values).__name__, file=file)
    return values


def _no_number(word: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python would take for numbers: `write_json` writes neither."""
    raise ValueError(f"{word}, which is no number of JSON")


def read_metrics(file: Path) -> dict[str, Any]:
    """Return what `write_metrics` wrote, details and all, side by side; raises as `read_json` does."""
    return with_details(read_json(file))


def with_details(values: dict[str, Any]) -> dict[str, Any]:
    """Return metrics with their details beside the rest instead of in a list; others as they are."""
    rest = {key: value for key, value in values.items() if key != "details"}
    return {**rest, **(values.get("details") or [{}])[0]}


def _plain(value: Any) -> Any:
    """Return `value` with NumPy scalars as Python ones, floats rounded and NaN as None, all the way down."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA:
        return None
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None
    return value
