"""Trainers over Ultralytics': the prompts stay text, val is never looked at, and nothing is halved in silence.

Imported by fitting.py inside a function, and by the processes that Ultralytics starts for several GPUs: that is why the
classes are at module level, and this module alone imports torch and ultralytics there.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils.torch_utils import unwrap_model

from stages.base.errors import problem
from stages.dataset.sheets.split_folder import DATASET
from stages.detector.model.encoders import PromptVectors

# The vectors of the prompts, beside the folder of the run: that one is emptied before several GPUs begin
TEXT_FILE = "text.pt"
SHEETS = DATASET / "train/images"
PREVIOUS = "previous.pt"  # the checkpoint before the last one: a kill may leave half of `last.pt`
ALL_RETRIES_USED = 3  # Ultralytics halves the batch on running out of memory, up to three times


class BaselineTrainer(DetectionTrainer):  # type: ignore[misc]
    """Trains YOLO-26: Ultralytics' trainer without its silent choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_callback("on_train_batch_start", _no_silent_halving)
        self.add_callback("on_pretrain_routine_end", _require_all_sheets)

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """Return the loaded model itself where it has as many classes as the data, else a new one with its weights.

        Building it anew would give it the class branch that Ultralytics thinks fit for the class count, and drop the
        weights of one that is narrower or wider.
        """
        if weights is None or weights.model[-1].nc != self.data["nc"]:
            return super().get_model(cfg=cfg, weights=weights, verbose=verbose)
        return _trainable(weights)

    def build_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """Return Ultralytics' dataset, large drawings among them: its check would leave them out, and they decode."""
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return super().build_dataset(*args, **kwargs)
        finally:
            Image.MAX_IMAGE_PIXELS = limit

    def validate(self) -> Any:
        """Return metrics of the slice and their fitness, or nothing when there is no slice (`val=False`)."""
        return super().validate() if self.args.val else ({}, None)

    def final_eval(self) -> None:
        """Do nothing: the run is measured by the validate stage, and its checkpoint must stay resumable until then."""

    def save_model(self) -> Any:
        """Save a checkpoint, and keep the one before it whole until the new one is."""
        if self.last.exists():
            self.last.replace(self.wdir / PREVIOUS)
        return super().save_model()


class PromptTrainer(BaselineTrainer):
    """Trains YOLOE-26 with text features in every batch; the head is never fused with them."""

    text: PromptVectors | None = None
    noise = 0.0
    drawing_for = -1  # the epoch that `dice` is of
    dice: np.random.Generator

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """Return the loaded model itself, for the classes of the data and the distractors.

        Building it anew for another class count would change the width of its class branch and drop what was learned.
        """
        model = _trainable(weights)
        model.model[-1].nc = self.data["nc"] + len(self._text().distractors)
        return model

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Add `txt_feats`, (batch, n_classes + n_distractors, 512), to a batch.

        A class that has several texts is told by one of them or by their average, another one with each batch, and with
        noise by a vector near that: what is like a prompt shall mean the same. No box belongs to a distractor: wherever
        it scores, it is wrong.
        """
        batch = super().preprocess_batch(batch)
        text = self._text()
        if self.drawing_for != self.epoch:  # a training that goes on draws what it would have drawn
            self.drawing_for, self.dice = self.epoch, np.random.default_rng([self.args.seed, self.epoch])
        told = torch.stack([self._phrasing(*both) for both in zip(text.prompts, text.phrasings, strict=True)])
        if self.noise:
            told = torch.nn.functional.normalize(told + self.noise * self._directions(told), dim=-1)
        features = torch.cat([told, text.distractors]).to(self.device)
        batch["txt_feats"] = features.unsqueeze(0).expand(len(batch["img"]), -1, -1)
        return batch

    def _directions(self, told: torch.Tensor) -> torch.Tensor:
        """Return random vectors of length 1 like `told`, in the dimensions that the encoder uses."""
        drawn = torch.from_numpy(self.dice.standard_normal(told.shape).astype(np.float32))
        return torch.nn.functional.normalize(drawn * told.any(dim=0), dim=-1)

    def _phrasing(self, average: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        if len(texts) == 1:
            return average
        drawn = int(self.dice.integers(len(texts) + 1))
        return average if drawn == len(texts) else texts[drawn]

    def validate(self) -> Any:
        """Validate with the prompts as the head understands them now."""
        if self.args.val:
            self._tell_prompts()
        return super().validate()

    def save_model(self) -> Any:
        """Save a checkpoint that plain Ultralytics can use at once: it carries the embeddings of the prompts."""
        self._tell_prompts()
        return super().save_model()

    def _tell_prompts(self) -> None:
        model = self.ema.ema
        head = model.model[-1]
        with torch.no_grad():
            embeddings = head.get_tpe(self._text().prompts.to(self.device).unsqueeze(0))
        model.set_classes([self.data["names"][i] for i in range(self.data["nc"])], embeddings.detach().clone())

    def _text(self) -> PromptVectors:
        if self.text is None:
            told = torch.load(Path(self.save_dir).parent / TEXT_FILE, weights_only=True)
            self.noise = told.pop("noise")
            self.text = PromptVectors(**told)
        return self.text

    def set_class_weights(self) -> None:
        """Do nothing: class weights are off (cls_pw 0)."""


def _trainable(weights: Any) -> Any:
    model = weights.float()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model


def _no_silent_halving(trainer: Any) -> None:
    trainer._oom_retries = ALL_RETRIES_USED


def _require_all_sheets(trainer: Any) -> None:
    """Raise `UserError` when Ultralytics has left out a sheet: its own check refuses files that OpenCV reads."""
    there = {Path(file).name for file in trainer.train_loader.dataset.im_files}
    dropped = sorted({file.name for file in Path(trainer.data["train"]).iterdir()} - there)
    if dropped:
        raise problem("trainer.sheet_dropped", SHEETS / dropped[0], count=len(dropped))


def plain_model(checkpoint: dict[str, Any]) -> Any:
    """Return the averaged model of a training checkpoint."""
    return unwrap_model(checkpoint.get("ema") or checkpoint["model"])
