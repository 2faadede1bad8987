"""Says in one line what is wrong with values that pydantic refuses, and reads JSON of one shape."""

from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_LONGEST = 60  # letters of what was found

S = TypeVar("S")


class Mistake(NamedTuple):
    """The first thing that is wrong: where, pydantic's word for its kind, what is wanted there, and what is there."""

    path: tuple[str, ...]
    kind: str
    wanted: str
    found: object

    def __str__(self) -> str:
        """Return it as what was found."""
        name = ".".join(self.path)
        if self.kind == "json_invalid":
            return self.wanted
        if self.kind in ("missing", "missing_argument"):
            return f"no {name}"
        if self.kind in _UNKNOWN:
            return f"the unknown key {name}"
        return f"{name}{': ' * bool(name)}{repr(self.found)[:_LONGEST]} instead of {self.wanted}"


def first_mistake(error: ValidationError) -> Mistake:
    """Return the mistake to tell."""
    # A misspelt key is missing under its right name, too: the key that is there says more.
    first = min(error.errors(), key=lambda found: found["type"] not in _UNKNOWN)
    wanted = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return Mistake(tuple(map(str, first["loc"])), first["type"], wanted, first.get("input"))


def read_shape(shape: type[S], file: Path) -> S:
    """Return the JSON in `file` as `shape`, types strictly; raise `OSError`, or `ValueError` with the first mistake."""
    try:
        return TypeAdapter(shape).validate_json(file.read_bytes(), strict=True)
    except ValidationError as error:
        raise ValueError(str(first_mistake(error))) from error
