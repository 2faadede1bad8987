"""Trainers over Ultralytics': the prompts stay text, val is never looked at, and nothing is halved in silence.

Imported by fitting.py inside a function, and by the processes that Ultralytics starts for several GPUs: that is why the
classes are at module level, and this module alone imports torch and ultralytics there.
"""

from pathlib import Path
from typing import Any

import torch
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils.torch_utils import unwrap_model

# Text features (n_classes, 512), beside the folder of the run: that one is emptied before several GPUs begin
TEXT_FILE = "text.pt"
PREVIOUS = "previous.pt"  # the checkpoint before the last one: a kill may leave half of `last.pt`
ALL_RETRIES_USED = 3  # Ultralytics halves the batch on running out of memory, up to three times


class BaselineTrainer(DetectionTrainer):  # type: ignore[misc]
    """Trains YOLO-26: Ultralytics' trainer without its silent choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_callback("on_train_batch_start", _no_silent_halving)

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """Return the loaded model itself where it has as many classes as the data, else a new one with its weights.

        Building it anew would give it the class branch that Ultralytics thinks fit for the class count, and drop the
        weights of one that is narrower or wider.
        """
        if weights is None or weights.model[-1].nc != self.data["nc"]:
            return super().get_model(cfg=cfg, weights=weights, verbose=verbose)
        return _trainable(weights)

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

    text_features: torch.Tensor | None = None

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """Return the loaded model itself, for the classes of the data.

        Building it anew for another class count would change the width of its class branch and drop what was learned.
        """
        model = _trainable(weights)
        model.model[-1].nc = self.data["nc"]
        return model

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Add `txt_feats`, (batch, n_classes, 512), to a batch."""
        batch = super().preprocess_batch(batch)
        features = self._features().to(self.device)
        batch["txt_feats"] = features.unsqueeze(0).expand(len(batch["img"]), -1, -1)
        return batch

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
            embeddings = head.get_tpe(self._features().to(self.device).unsqueeze(0))
        model.set_classes([self.data["names"][i] for i in range(self.data["nc"])], embeddings.detach().clone())

    def _features(self) -> torch.Tensor:
        if self.text_features is None:
            self.text_features = torch.load(Path(self.save_dir).parent / TEXT_FILE, weights_only=True)
        return self.text_features

    def set_class_weights(self) -> None:
        """Do nothing: class weights are off (cls_pw 0)."""


def _trainable(weights: Any) -> Any:
    model = weights.float()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model


def _no_silent_halving(trainer: Any) -> None:
    trainer._oom_retries = ALL_RETRIES_USED


def plain_model(checkpoint: dict[str, Any]) -> Any:
    """Return the averaged model of a training checkpoint."""
    return unwrap_model(checkpoint.get("ema") or checkpoint["model"])
