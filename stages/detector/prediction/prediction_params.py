"""What a prediction is told: section `predict` of params.yaml."""

from typing import Literal

from pydantic import Field, field_validator

from stages.base.params import Strict
from stages.detector.prediction.filters import Filters

NMS_IOU = 0.7  # overlap from which a less sure box of the same class is a duplicate: Ultralytics' default


class FilterParams(Strict):
    """Section `predict.filters`: limits that a detection must keep, in pixels of the original image; null is off."""

    min_area: float | None = Field(ge=0)  # px²
    max_area: float | None = Field(gt=0)  # px²
    min_side: float | None = Field(ge=0)  # px
    max_aspect: float | None = Field(ge=1)  # longer side / shorter side
    border: float | None = Field(ge=0)  # px

    @property
    def limits(self) -> Filters:
        """The same limits as `predict` takes them."""
        return Filters(**self.model_dump())


class PredictParams(Strict):
    """Section `predict` of params.yaml, where each key is explained."""

    imgsz: int = Field(ge=32)  # px
    batch: int = Field(ge=1)
    engine: Literal["auto", "torch", "onnx"] = "torch"  # as it was before there was another
    device: str = Field(pattern=r"^(auto|cpu|mps|\d+)$")
    confidence_floor: float = Field(ge=0, le=1)
    max_det: int = Field(ge=1)
    filters: FilterParams
    run_on: Literal["local", "ray"] = "local"  # as it was before there was another
    ray_workers: int = Field(default=2, ge=1)

    @field_validator("device", mode="before")
    @classmethod
    def _number_of_a_gpu(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
