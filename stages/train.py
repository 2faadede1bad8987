"""Stage `train`: fits the detector of this iteration."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stages.base.command import stage_command
from stages.base.decoding import require_decodable
from stages.base.errors import problem
from stages.base.params import read_classes, read_iteration, read_section, read_tile
from stages.base.tables import write_csv, write_metrics
from stages.convergence.history.history_file import read_carried
from stages.dataset.sheets.split_folder import DATASET, Sheet, check_names, read_labels, read_split
from stages.detector.training.training_lock import alone
from stages.detector.training.training_params import (
    BEST,
    CURVES,
    EMBEDDINGS,
    LAST,
    LOGS,
    METRICS,
    PARENT,
    TARGET,
    require_even_shares,
    settings,
    starts_afresh,
)
from stages.detector.training.training_params import TrainParams as Params
from stages.detector.training.training_view import fingerprint, split_slice, write_view
from stages.detector.training.window_view import write_windows
from stages.prompts.texts.prompt_file import PROMPTS, Prompts, read_prompts

if TYPE_CHECKING:
    from stages.detector.training.starting_model import StartingModel

_SHOWN = ("lr", "epochs_run")  # in DVC's tables; the file has all
SCRATCH = Path(".scratch/train")
CALIBRATION_SHEETS = 8  # on which the carried class branch is normalised; more change the third digit only


def run() -> None:
    """Fit the detector of this iteration: YOLO-26 at iteration 0, YOLOE-26 with text prompts after that.

    Iteration 0 may also take weights that were brought (adopt), or the target weights told the prompts (zero-shot).
    """
    params, classes, iteration = read_section(Params, "train"), read_classes(), read_iteration()
    read_carried(iteration, classes)
    check_names(classes)
    way = params.baseline if iteration == 0 else "train"
    sheets = read_split("train") if way == "zero-shot" else checked_sheets(classes)
    prompts = read_prompts(classes) if iteration > 0 or way == "zero-shot" else {}
    if way == "zero-shot":
        metrics = _zero_shot(params, classes, sheets, prompts)
    else:
        metrics = _adopt(classes) if way == "adopt" else _fit(params, classes, iteration, sheets, prompts)
    used = {**metrics, "images": len(sheets), "boxes": count_boxes(sheets, classes)}
    rest = {key: value for key, value in used.items() if key not in _SHOWN}
    write_metrics({key: used[key] for key in _SHOWN if key in used}, rest, METRICS)


def checked_sheets(classes: Sequence[str]) -> list[Sheet]:
    """Return the sheets of train, after decoding every image and reading every label."""
    sheets = read_split("train")
    if not sheets:
        raise problem("train.sheets_train", DATASET / "train/images")
    require_decodable(sheet.image for sheet in sheets)
    if count_boxes(sheets, classes) == 0:
        raise problem("train.least_box", DATASET / "train/labels")
    return sheets


def count_boxes(sheets: Sequence[Sheet], classes: Sequence[str]) -> int:
    """Return the number of labelled boxes on `sheets`."""
    return sum(len(read_labels(sheet.label, classes).class_id) for sheet in sheets)


def calibration_sheets(sheets: Sequence[Sheet]) -> Sequence[Sheet]:
    """Return at most `CALIBRATION_SHEETS` of `sheets`, or of their windows, evenly spread: each takes 150 MB and more
    at imgsz 2560.
    """
    return sheets[:: -(-len(sheets) // CALIBRATION_SHEETS)]


def _adopt(classes: Sequence[str]) -> dict[str, Any]:
    """Take the person's weights byte for byte."""
    from stages.detector.model.checkpoint import check_classes, digest, load_model
    from stages.detector.model.runtime import start_ultralytics, versions
    from stages.detector.training.told_prompts import save_embeddings

    start_ultralytics()
    model = load_model(PARENT)
    check_classes(model, classes, PARENT)
    BEST.parent.mkdir(exist_ok=True)
    for out in (BEST, LAST):
        shutil.copyfile(PARENT, out)
    save_embeddings(model, classes, BEST, EMBEDDINGS)
    write_csv(pd.DataFrame(columns=["epoch", "loss", "lr"]), CURVES)
    print("train: adopted models/parent.pt unchanged", flush=True)
    return {"start": "adopted", "epochs_run": 0, "weights_sha256": digest(model), **versions()}


def _zero_shot(params: Params, classes: Sequence[str], sheets: Sequence[Sheet], prompts: Prompts) -> dict[str, Any]:
    """Take the target weights, told the prompts; nothing is trained, so train may be empty."""
    from stages.detector.model.checkpoint import digest, save_model
    from stages.detector.model.runtime import start_ultralytics, versions
    from stages.detector.training.example_vectors import shown_examples
    from stages.detector.training.starting_model import zero_shot
    from stages.detector.training.told_prompts import prompts_sha256, save_embeddings

    start_ultralytics()
    examples = shown_examples(TARGET, prompts, sheets, classes, imgsz=params.imgsz)
    start = zero_shot(TARGET, classes, prompts, examples, encoder=params.encoder)
    for out in (BEST, LAST):
        save_model(start.model, out, imgsz=params.imgsz)
    save_embeddings(start.model, classes, BEST, EMBEDDINGS)
    write_csv(pd.DataFrame(columns=["epoch", "loss", "lr"]), CURVES)
    print("train: models/target.pt is told the prompts, and nothing is trained", flush=True)
    return {
        "start": start.source,
        "epochs_run": 0,
        "encoder": params.encoder,
        "prompts_sha256": prompts_sha256(prompts, params.encoder),
        "weights_sha256": digest(start.model),
        **versions(),
    }


def _fit(
    params: Params, classes: Sequence[str], iteration: int, sheets: list[Sheet], prompts: Prompts
) -> dict[str, Any]:
    """Train in a scratch folder that is named by a fingerprint of the inputs, then write the outs."""
    from stages.detector.model.checkpoint import digest, save_model
    from stages.detector.model.runtime import fits_into_memory, pick_device, start_ultralytics, versions
    from stages.detector.training.example_vectors import shown_examples
    from stages.detector.training.fitting import Job, fit, log_to
    from stages.detector.training.told_prompts import prompts_sha256, remember, save_embeddings

    start_ultralytics()
    device = pick_device(params.device)
    require_even_shares(params.batch, device)
    wanted = settings(params, iteration, device)
    inputs = [file for sheet in sheets for file in (sheet.image, sheet.label)]
    tile = read_tile()
    seen = () if tile is None else (tile,)
    name = fingerprint([PARENT, TARGET, *inputs], wanted, params, classes, prompts, versions(), *seen)
    folder = (SCRATCH / name).resolve()
    memory = fits_into_memory("train", batch=params.batch, imgsz=params.imgsz)
    with alone(SCRATCH / f"{name}.lock", doing="training with the same inputs"), memory:
        parts, shown = _parts(params, sheets), sheets
        if tile is not None:
            parts = _windows(parts, folder / "windows", params, classes, tile)
            shown = [view for part in parts.values() for view in part]
        examples = shown_examples(TARGET, prompts, sheets, classes, imgsz=params.imgsz)
        file, start, text = _start(params, classes, iteration, shown, prompts, examples, folder)
        wanted["warmup_bias_lr"] = params.warmup_bias_lr if start.new_classes else 0.0
        data = write_view(folder / "data", parts, classes)
        log_to(LOGS / "train.log", goes_on=(folder / "run").exists())
        result = fit(Job(file, data, folder / "run", wanted, params.select, text, params.prompt_noise, CURVES))
        if prompts:
            for model in (result.best, result.last):
                remember(model, prompts, examples)
        save_model(result.best, BEST, imgsz=params.imgsz)
        save_model(result.last, LAST, imgsz=params.imgsz)
        save_embeddings(result.best, classes, BEST, EMBEDDINGS)
        write_csv(result.curves, CURVES)
        shutil.rmtree(folder)
    return {
        "start": start.source,
        **result.used,
        "resumed": result.resumed,
        "device": device,
        "encoder": params.encoder if prompts else None,
        "prompts_sha256": prompts_sha256(prompts, params.encoder) if prompts else None,
        **(
            {} if tile is None else {"tile": tile, "windows": len(shown)}
        ),  # pictures trained on, whole sheets among them
        "weights_sha256": digest(result.best),
        **versions(),
    }


def _start(
    params: Params,
    classes: Sequence[str],
    iteration: int,
    sheets: Sequence[Sheet],
    prompts: Prompts,
    examples: Mapping[str, Any],
    folder: Path,
) -> tuple[Path, "StartingModel", Any]:
    """Return the checkpoint to start from, the model in it, and what it is told (None for YOLO-26)."""
    from stages.detector.model.checkpoint import save_model
    from stages.detector.model.encoders import vectors_of
    from stages.detector.training.starting_model import base_start, baseline_start, letterboxed, prompt_start

    if iteration == 0:
        return PARENT.resolve(), baseline_start(PARENT, classes), None
    text = vectors_of(params.encoder, classes, prompts, params.distractors, examples)
    some = [sheet.image for sheet in calibration_sheets(sheets)]
    if params.start == "base":
        start = base_start(TARGET, classes, encoder=params.encoder)
    else:
        start = prompt_start(
            PARENT,
            TARGET,
            classes,
            encoder=params.encoder,
            vectors=text.prompts,
            carry=params.carry,
            images=letterboxed(some, params.imgsz),
        )
        # After a zero-shot iteration the class branch has never seen these classes.
        start = start._replace(new_classes=start.new_classes or starts_afresh(params.start, iteration, params.baseline))
    _say_changes(start.model, classes, prompts, text.prompts)
    file = folder / "start.pt"
    save_model(start.model, file, imgsz=params.imgsz)
    return file, start, text


def _say_changes(model: Any, classes: Sequence[str], prompts: Prompts, vectors: Any) -> None:
    """Print what is told otherwise than before; raise `UserError` for two classes that mean the same."""
    from stages.detector.training.prompt_changes import SAME, change_lines, near_lines, near_pairs, prompt_changes
    from stages.detector.training.told_prompts import embeddings_for, embeddings_told, remembered

    after = embeddings_for(model, classes, vectors)
    pairs = near_pairs(after)
    if pairs and pairs[0].cosine >= SAME:
        raise problem("train.prompts_apart", PROMPTS, one=pairs[0].one, other=pairs[0].other)
    texts = remembered(model)
    changes = (
        prompt_changes(before=embeddings_told(model), after=after, texts_before=texts, texts_after=prompts)
        if texts is not None
        else []
    )
    for line in [*change_lines(changes), *near_lines(pairs)]:
        print(f"prompts: {line}", flush=True)


def _parts(params: Params, sheets: list[Sheet]) -> dict[str, Sequence[Sheet]]:
    """Return what is trained on, and with `select: slice` what the best epoch is chosen on."""
    if params.select == "last":
        return {"train": sheets}
    if len(sheets) < 2:
        raise problem("train.two_sheets_more", DATASET / "train/images")
    fit, held = split_slice(sheets, params.slice, np.random.default_rng(params.seed))
    return {"train": fit, "slice": held}


def _windows(
    parts: Mapping[str, Sequence[Sheet]], folder: Path, params: Params, classes: Sequence[str], tile: int
) -> dict[str, Sequence[Sheet]]:
    """Cut the sheets of all parts into windows below `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    rng = np.random.default_rng(params.seed)
    cut: dict[str, Sequence[Sheet]] = {
        name: write_windows(sheets, folder / name, classes, side=tile, imgsz=params.imgsz, rng=rng)
        for name, sheets in parts.items()
    }
    print(f"train: {sum(map(len, cut.values()))} windows of {tile} px and whole sheets", flush=True)
    return cut


main = stage_command("train", run)

if __name__ == "__main__":
    main()
