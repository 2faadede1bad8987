"""Stands in for `train` in a dry run: puts untrained weights into models/best.pt, or times a step of training."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from stages.base.command import exit_cleanly
from stages.base.params import read_classes, read_iteration, read_section
from stages.base.tables import write_json
from stages.dataset.sheets.split_folder import read_split
from stages.detector.training.training_params import BEST, PARENT, TARGET, TrainParams
from stages.prompts.texts.prompt_file import Prompts, read_prompts

STEP = Path("logs/train/step.json")
_BOXES = 10  # on the random sheet of a timed step


def run(measure: Annotated[bool, typer.Option("--measure", help="Time a step instead.")] = False) -> None:
    """Write models/best.pt without training, after the checks that `train` makes of models/parent.pt."""
    from stages.detector.model.runtime import fits_into_memory, pick_device, start_ultralytics

    params, classes, iteration = read_section(TrainParams, "train"), read_classes(), read_iteration()
    start_ultralytics()
    if not measure:
        print(stand_in(params, classes, iteration), flush=True)
        return
    from stages.detector.model.checkpoint import is_promptable, load_model

    model, device = load_model(BEST), pick_device(params.device)
    with fits_into_memory("train", batch=1, imgsz=params.imgsz):
        seconds = seconds_per_sheet(model, imgsz=params.imgsz, device=device, amp=params.amp)
    write_json({"seconds": seconds, "prompted": is_promptable(model)}, STEP)


def stand_in(params: TrainParams, classes: Sequence[str], iteration: int) -> str:
    """Put the parent, or the parent with a fresh head where it has other classes, into models/best.pt; say which."""
    from stages.detector.model.checkpoint import check_classes, load_model, save_model
    from stages.detector.training.starting_model import base_start, baseline_start, zero_shot

    BEST.parent.mkdir(exist_ok=True)
    if iteration == 0 and params.baseline == "zero-shot":
        prompts, examples = _shown(params, classes)
        told = zero_shot(TARGET, classes, prompts, examples, encoder=params.encoder)
        save_model(told.model, BEST, imgsz=params.imgsz)
        return f"{TARGET}, told the prompts: nothing would be trained, so the numbers below are those of the iteration."
    if iteration == 0 and params.baseline == "train":
        start = baseline_start(PARENT, classes)
        if start.new_classes:
            model = with_fresh_head(start.model, classes, seed=params.seed)
            save_model(model, BEST, imgsz=params.imgsz)
            return f"{PARENT} knows other classes, so a fresh head stands in: F1 and the verdict have no meaning."
    else:
        check_classes(load_model(PARENT), classes, PARENT)
    shutil.copyfile(PARENT, BEST)
    if iteration:
        _show(params, classes)
    if iteration and params.start == "base":
        base_start(TARGET, classes, encoder=params.encoder)  # refused here, as it would be in the training
        return f"{PARENT} stands in for a training that would begin at {TARGET} (train.start: base)."
    return f"{PARENT} stands in as it is: the numbers below are those of these weights, before any training."


def _shown(params: TrainParams, classes: Sequence[str]) -> tuple[Prompts, dict[str, Any]]:
    """Return the prompts, and the vectors of the boxes that are shown in place of words."""
    from stages.detector.training.example_vectors import shown_examples

    prompts = read_prompts(classes)
    sheets = read_split("train")
    return prompts, shown_examples(TARGET, prompts, sheets, classes, imgsz=params.imgsz)


def _show(params: TrainParams, classes: Sequence[str]) -> None:
    """Let the weights that stand in know boxes that they were not shown yet."""
    from stages.detector.model.checkpoint import load_model, save_model
    from stages.detector.model.encoders import known_examples
    from stages.detector.training.told_prompts import remember, remembered

    prompts, examples = _shown(params, classes)
    if examples:
        model = load_model(BEST)
        remember(model, remembered(model) or prompts, {**known_examples(model), **examples})
        save_model(model, BEST, imgsz=params.imgsz)


def with_fresh_head(model: Any, classes: Sequence[str], *, seed: int) -> Any:
    """Return a detector for `classes` with all weights of `model` that fit, and new ones from `seed` elsewhere."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(seed)
    fresh = DetectionModel({**model.yaml, "nc": len(classes)}, verbose=False)
    fresh.load(model, verbose=False)
    fresh.names = dict(enumerate(classes))
    return fresh


def seconds_per_sheet(model: Any, *, imgsz: int, device: str, amp: bool) -> float:
    """Return the seconds of a forward and a backward pass over one random sheet of `imgsz` px, after one to warm up."""
    import torch
    from ultralytics.cfg import get_cfg

    first = device.partition(",")[0]  # of several GPUs
    place = torch.device(f"cuda:{first}" if first.isdecimal() else first)
    model = model.float().to(place).train()
    model.args, model.criterion = get_cfg(), None
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    batch = _random_batch(imgsz, classes=len(model.names), place=place)
    seconds = 0.0
    for _ in range(2):
        started = time.monotonic()
        with torch.autocast(place.type, enabled=amp and place.type == "cuda"):
            loss = model.loss(batch)[0].sum()
        loss.backward()
        loss.detach().item()  # waits for the device
        seconds = time.monotonic() - started
    return seconds


def _random_batch(imgsz: int, *, classes: int, place: Any) -> dict[str, Any]:
    import torch

    rng = torch.Generator().manual_seed(0)
    text = torch.nn.functional.normalize(torch.rand(1, classes, 512, generator=rng), dim=-1)
    batch = {
        "img": torch.rand(1, 3, imgsz, imgsz, generator=rng),
        "batch_idx": torch.zeros(_BOXES),
        "cls": torch.zeros(_BOXES, 1),
        "bboxes": torch.rand(_BOXES, 4, generator=rng) * 0.2 + 0.2,  # xywhn, inside the sheet
        "txt_feats": text,  # read by a promptable model only
    }
    return {name: value.to(place) for name, value in batch.items()}


def main() -> None:
    """Run as `python -m stages.detector.rehearsal.stand_in`, in the scratch copy."""
    exit_cleanly(lambda: typer.run(run))


if __name__ == "__main__":
    main()
