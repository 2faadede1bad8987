"""`yoloop run --config FILE`: values of a YAML file with the structure of params.yaml, for this and later runs."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.base.params import PARAMS, Strict, check, check_tile, read_params, read_section, read_yaml
from stages.detector.prediction.prediction_params import PredictParams
from stages.iteration.preflight import STAGES
from stages.project.yaml_edits import edited, flat
from stages.review.kept.review_params import ReviewParams
from stages.ruler.validate_params import ValidateParams, point_of

_TILE = "tile"  # the only value of its own that may differ from run to run
_SECTIONS = (*STAGES, "review")
_ELSEWHERE = {
    "iteration": "Leave it out: `yoloop advance` raises it; to start over: --start-iteration N",
    "classes": "Leave them out: they belong to the dataset, and `yoloop data import` writes them.",
}


def read_overrides(file: Path, root: Path) -> dict[str, Any]:
    """Return the values of `file` that differ from the project's params.yaml, by dotted path.

    Raises `UserError` with file and line for unknown keys, values of a wrong type or range, `iteration` and `classes`.
    """
    if not file.is_file():
        raise problem("overrides.yaml_file_config", file)
    sections, params = read_yaml(file), read_params(root / PARAMS)
    for name in sections:
        if name == _TILE:
            check_tile(sections[name], file)
            continue
        _require_section(name, sections[name], file)
        read_section(_model(name), name, root / PARAMS)  # a mistake there has its own line
        params[name] = _merged(params.get(name) or {}, sections[name])
        check(_model(name), params[name], file=file, prefix=(name,))
    predict = check(PredictParams, params["predict"], file=file, prefix=("predict",))
    point_of(check(ValidateParams, params["validate"], file=file, prefix=("validate",)), predict.confidence_floor, file)
    before = flat(read_params(root / PARAMS))
    return {path: value for path, value in flat(sections).items() if path not in before or before[path] != value}


def overridden(text: str, values: Mapping[str, Any]) -> str:
    """Return params.yaml, the text `text`, with `values` set by their dotted paths; comments stay."""
    return edited(text, values) if values else text


def write_overrides(root: Path, values: Mapping[str, Any]) -> str:
    """Write `values` into params.yaml, where Git keeps what ran, and return a line that names each change."""
    before = flat(read_params(root / PARAMS))
    text = (root / PARAMS).read_text(encoding="utf-8-sig")
    with replacing(root / PARAMS) as temporary:
        temporary.write_text(overridden(text, values), encoding="utf-8")
    changes = ", ".join(f"{path} {before.get(path, '(new)')} -> {value}" for path, value in values.items())
    return f"Written into params.yaml: {changes}"


def _require_section(name: object, values: object, file: Path) -> None:
    if name in _SECTIONS and isinstance(values, dict):
        return
    top = yaml.compose(file.read_text(encoding="utf-8-sig"))
    keys = [key for key, _ in top.value] if isinstance(top, yaml.MappingNode) else []
    # A key like `on` has another name once it is read (True), so its line is not found.
    line = next((key.start_mark.line + 1 for key in keys if key.value == str(name)), None)
    where = f"{file}:{line}" if line else str(file)
    if name in _SECTIONS:
        raise problem("overrides.keys_below", where, name=name, found=repr(values))
    mend = _ELSEWHERE.get(str(name), "Remove or rename it.")
    raise problem("overrides.require_section", where, sections=", ".join((*_SECTIONS, _TILE)), name=name, mend=mend)


def _model(section: str) -> type[Strict]:
    model: type[Strict] = import_module(f"stages.{section}").Params if section in STAGES else ReviewParams
    return model


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return `old` with the values of `new`, level by level."""
    both = {key: _merged(old[key], new[key]) for key in new if _is_mapping(old.get(key)) and _is_mapping(new[key])}
    return {**old, **new, **both}


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)
