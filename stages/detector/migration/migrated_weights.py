"""The weights that an iteration starts from, for another list of classes: what was learned goes with its class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from stages.base.errors import problem
from stages.detector.migration.class_rows import set_rows
from stages.detector.migration.prompt_rows import set_prompt_rows
from stages.detector.model.checkpoint import (
    check_classes,
    check_order,
    class_names,
    is_promptable,
    load_model,
    save_model,
)
from stages.detector.model.runtime import start_ultralytics
from stages.prompts.texts.prompt_file import Prompts

Moved = Literal["rows", "texts", "none"]  # rows of the class branch; texts decide; weights of other classes, left alone


def migrate_weights(
    source: Path,
    target: Path,
    classes: Sequence[str],
    *,
    told: Prompts,
    rows: Mapping[str, str | None],
    origins: Mapping[str, str],
    baseline: bool,
) -> Moved:
    """Write to `target` the weights in `source`, which know `classes`, for the classes of `told`, in their order.

    `rows` has for each new class the old one whose row it takes in a head without prompts; `origins` those that are
    what they were under another name. Of a `baseline`, which iteration 0 fine-tunes, the classes may be others
    altogether: nothing is written then. Weights are kept in half precision, as every checkpoint here. Raises
    `UserError` for weights of other classes, and for prompts that are fused into the head.
    """
    start_ultralytics()
    model = load_model(source)
    if baseline and set(class_names(model)) != set(classes):
        return "none"
    (check_order if baseline else check_classes)(model, classes, source)
    head, imgsz = model.model[-1], int(dict(getattr(model, "args", None) or {}).get("imgsz") or 640)
    if is_promptable(model) and not hasattr(head, "lrpc"):
        set_prompt_rows(model, told, origins)
    elif hasattr(head, "reprta"):
        raise problem("migrated_weights.fused_prompts", source)
    else:
        old = class_names(model)
        taken = [rows[name] for name in told]
        set_rows(model, list(told), [None if one is None else old.index(one) for one in taken], source)
    save_model(model, target, imgsz=imgsz)
    return "texts" if hasattr(head, "reprta") else "rows"
