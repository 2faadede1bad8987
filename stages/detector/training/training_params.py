"""What a training is told: section `train` of params.yaml, and every setting of Ultralytics that follows from it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stages.base.errors import problem
from stages.base.params import Strict

PARENT, TARGET = Path("models/parent.pt"), Path("models/target.pt")
BEST, LAST = Path("models/best.pt"), Path("models/last.pt")
EMBEDDINGS = Path("models/prompts.npz")  # of the prompts of BEST, as Ultralytics loads them
METRICS, CURVES = Path("metrics/train.json"), Path("plots/train/results.csv")
LOGS = Path("logs/train")

Fraction = Field(ge=0, le=1)


class Augment(Strict):
    """Changes to a sheet in training; the names are Ultralytics'."""

    hsv_h: float = Fraction
    hsv_s: float = Fraction
    hsv_v: float = Fraction
    degrees: float = Field(ge=0, le=180)
    translate: float = Fraction
    scale: float = Fraction
    shear: float = Field(ge=0, le=180)
    fliplr: float = Fraction
    flipud: float = Fraction
    mosaic: float = Fraction
    close_mosaic: int = Field(ge=0)
    mixup: float = Fraction


class TrainParams(Strict):
    """Section `train` of params.yaml, where each key is explained."""

    baseline: Literal["train", "adopt", "zero-shot"]
    epochs_baseline: int = Field(ge=1)
    epochs: int = Field(ge=1)
    base_lr: float = Field(gt=0, le=1)
    lr_decay: float = Field(gt=0, le=1)
    final_lr_fraction: float = Field(gt=0, le=1)
    warmup_epochs: float = Field(ge=0)
    warmup_bias_lr: float = Field(ge=0, le=1)
    optimizer: Literal["AdamW", "Adam", "SGD", "MuSGD"]
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    select: Literal["last", "slice"]
    slice: float = Field(gt=0, lt=1)
    patience: int = Field(ge=1)
    start: Literal["parent", "base"] = "parent"  # a params.yaml from before it was a choice has the first
    carry: Literal["none", "body", "all"]
    encoder: Literal["mobileclip2", "wordllama"]
    distractors: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list
    )  # an older params.yaml has none
    prompt_noise: float = Field(default=0.0, ge=0)  # older files lack it
    imgsz: int = Field(ge=32, multiple_of=32)
    batch: int = Field(ge=1)
    accumulate: int = Field(ge=1)
    freeze: int = Field(ge=0)
    device: Annotated[str, BeforeValidator(str), Field(pattern=r"^(auto|cpu|mps|\d+(,\d+)*)$")]
    workers: int = Field(ge=0)
    amp: bool
    seed: int = Field(ge=0)
    augment: Augment


def require_even_shares(batch: int, device: str) -> None:
    """Raise `UserError` unless each GPU of `device` gets as many sheets of a batch as the others, and at least one."""
    gpus = len(device.split(","))
    if batch % gpus:
        raise problem("training_params.even_shares", "params.yaml: train.batch", gpus=gpus, device=device, batch=batch)


def first_learned(baseline: str) -> int:
    """Return the iteration that learns from labels first: 1 where iteration 0 is only told what to look for."""
    return 1 if baseline == "zero-shot" else 0


def starts_afresh(start: str, iteration: int, baseline: str = "train") -> bool:
    """Return whether a training begins without what the iteration before had learned: it has all of it to learn."""
    return iteration <= first_learned(baseline) or start == "base"


def epochs(params: TrainParams, iteration: int) -> int:
    """Return epochs_baseline for a fresh start, else epochs."""
    afresh = starts_afresh(params.start, iteration, params.baseline)
    return params.epochs_baseline if afresh else params.epochs


def learning_rate(params: TrainParams, iteration: int) -> float:
    """Return base_lr * lr_decay ** the trainings before; base_lr for a fresh start."""
    if starts_afresh(params.start, iteration, params.baseline):
        return params.base_lr
    return params.base_lr * params.lr_decay ** (iteration - first_learned(params.baseline))


def settings(params: TrainParams, iteration: int, device: str) -> dict[str, Any]:
    """Return every setting of Ultralytics that we decide, so that none is left to its defaults."""
    return {
        "epochs": epochs(params, iteration),
        "lr0": learning_rate(params, iteration),
        "lrf": params.final_lr_fraction,
        "warmup_epochs": params.warmup_epochs,
        "optimizer": params.optimizer,
        "momentum": params.momentum,
        "warmup_momentum": params.momentum,
        "weight_decay": params.weight_decay,
        "patience": params.patience,
        "imgsz": params.imgsz,
        "batch": params.batch,
        "nbs": params.batch * params.accumulate,
        "freeze": params.freeze or None,
        "device": device,
        "workers": params.workers,
        "amp": params.amp,
        "seed": params.seed,
        **params.augment.model_dump(),
    }
