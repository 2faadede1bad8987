"""Reads `params.yaml`: typed, strict, and every complaint names file and line."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from stages.base.errors import UserError, problem
from stages.base.shapes import Mistake, first_mistake

PARAMS = Path("params.yaml")
# Every top-level key that params.yaml may hold; anything else is a spelling mistake.
SECTIONS = ("iteration", "classes", "tile", "train", "predict", "validate", "analyze", "converge", "sample", "review")
LEAST_TILE = 64  # px: two cells of the network's coarsest layer
TAKEN = ("all", "background")  # names that the curves and the confusion matrix need for themselves
# What no class may be called: DVC reads `${}` in params.yaml as a reference, and its own pages take markup for code.
_CODE = ("${", "</", "<!", "<script")


class _Loader(yaml.SafeLoader):
    """Reads what `dvc exp run -S` writes as DVC means it, as YAML 1.2 has it; PyYAML keeps to YAML 1.1.

    There a number like 1e-05 needs a point and a sign, and would be a text; and a class that is called no, yes, on or
    off, which DVC writes without quotes, would be a truth value.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML reads it from the class
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+\Z"), list("-+.0123456789")
)


class Strict(BaseModel):
    """Base of every section: unknown keys and wrong types are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=Strict)


def read_section(model: type[M], section: str, file: Path = PARAMS) -> M:
    """Return the section `section` of `file` as `model`; raise `UserError` with the line of the first mistake."""
    values = read_params(file).get(section)
    if not isinstance(values, dict):
        raise problem("params.section", file, section=section)
    return check(model, values, file=file, prefix=(section,))


def read_iteration(file: Path = PARAMS) -> int:
    """Return `iteration`, an integer from 0."""
    value = read_params(file).get("iteration")
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise problem("params.iteration_whole_number", _where(file, ("iteration",)), found=repr(value))
    return value


def read_classes(file: Path = PARAMS) -> tuple[str, ...]:
    """Return the class names; a name's place is its class_id."""
    value = read_params(file).get("classes")
    names = value if isinstance(value, list) else []
    usable = all(isinstance(name, str) and name and name not in TAKEN for name in names)
    bad = next((name for name in names if isinstance(name, str) and not is_plain_name(name)), None)
    if bad is not None:
        raise problem("params.plain_name", _where(file, ("classes",)), found=repr(bad))
    if not names or not usable or len(set(names)) != len(names):
        where = _where(file, ("classes",))
        raise problem("params.classes_list_different", where, taken=" or ".join(TAKEN), found=repr(value))
    return tuple(names)


def is_plain_name(name: str) -> bool:
    """Say whether a class can be called so: printable letters, nothing that DVC or a page would run."""
    return name.isprintable() and not any(code in name.lower() for code in _CODE)


def read_baseline(file: Path = PARAMS) -> str:
    """Return `train.baseline`, how iteration 0 comes by its weights; it is checked where it is acted on."""
    section = read_params(file).get("train")
    return str(section.get("baseline")) if isinstance(section, dict) else ""


def read_tile(file: Path = PARAMS) -> int | None:
    """Return `tile`, px of the side of the windows in which sheets are trained on and seen; None: as wholes."""
    return check_tile(read_params(file).get("tile"), file)


def check_tile(value: object, file: Path) -> int | None:
    """Return `value`, None or a whole number from LEAST_TILE; raise `UserError` with the line in `file` for another."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= LEAST_TILE):
        return value
    raise problem("params.tile", _where(file, ("tile",)), least=LEAST_TILE, found=repr(value))


def read_params(file: Path = PARAMS) -> dict[str, Any]:
    """Return all of `file` as plain values, after checking its top-level keys."""
    values = read_yaml(file)
    unknown = sorted(str(key) for key in set(values) - set(SECTIONS))
    if unknown:
        where = _where(file, (unknown[0],))
        raise problem("params.read_params", where, sections=", ".join(SECTIONS), unknown=unknown[0])
    return values


def read_yaml(file: Path) -> dict[str, Any]:
    """Return a YAML mapping; raise `UserError` when the file is missing, unreadable or no mapping."""
    if not file.is_file():
        raise problem("params.file", file, path=Path.cwd())
    try:
        values = yaml.load(file.read_text(encoding="utf-8-sig"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        other = "lists in lists in lists" if isinstance(error, RecursionError) else "bytes that are not UTF-8"
        raise problem("params.valid_yaml", where, found=str(getattr(error, "problem", None) or other)) from error
    if not isinstance(values, dict):
        raise problem("params.keys_values", file, found=type(values).__name__)
    return values


def check(model: type[M], values: dict[str, Any], *, file: Path, prefix: Sequence[str] = ()) -> M:
    """Return `values` as `model`; raise `UserError` that names the line of the first mistake in `file`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        mistake = first_mistake(error)
        raise _complaint(model, file, mistake._replace(path=(*prefix, *mistake.path))) from error


def _complaint(model: type[Strict], file: Path, mistake: Mistake) -> UserError:
    path, kind, wanted, found = mistake
    name = ".".join(path)
    if kind == "extra_forbidden":
        return problem("params.known_key", _where(file, path), known=", ".join(model.model_fields), name=name)
    if kind == "missing":
        return problem("params.key", _where(file, path[:-1]), name=name)
    return problem("params.complaint", _where(file, path), name=name, wanted=wanted, found=repr(found))


def _where(file: Path, path: Sequence[str]) -> str:
    """Return `file:line` of the key at `path`, or of its nearest parent that exists."""
    node = yaml.compose(file.read_text(encoding="utf-8-sig"))
    line = None
    for part in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        hit = next(((key, value) for key, value in pairs if key.value == part), None)
        if hit is None:
            break
        line, node = hit[0].start_mark.line + 1, hit[1]
    return f"{file}:{line}" if line else str(file)
