"""Where the words of the findings begin, as section `analyze` of params.yaml says: `analyze` and `sample` use them."""

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from stages.analysis.findings import FindingLimits
from stages.base.params import Strict


class FindingParams(Strict):
    """The part of section `analyze` that says what a box is called; its other keys are the stage's own."""

    model_config = ConfigDict(extra="ignore")

    tiny_area: float = Field(gt=0)  # px²
    small_area: float = Field(gt=0)
    medium_area: float = Field(gt=0)
    border: float = Field(ge=0)  # px
    low_contrast: float = Field(ge=0, le=127.5)
    aspect_factor: float = Field(gt=1)
    aspect_min: float = Field(gt=0)
    aspect_max: float = Field(gt=0)
    overlap_iou: float = Field(ge=0, lt=1)

    @field_validator("small_area", "medium_area", "aspect_max")
    @classmethod
    def _in_order(cls, value: float, info: ValidationInfo) -> float:
        below = {"small_area": "tiny_area", "medium_area": "small_area", "aspect_max": "aspect_min"}[
            str(info.field_name)
        ]
        if value <= info.data.get(below, 0.0):
            raise ValueError(f"more than analyze.{below} ({info.data[below]})")
        return value

    def limits(self) -> FindingLimits:
        """Return them as the functions of the findings take them."""
        return FindingLimits(**{name: getattr(self, name) for name in FindingLimits._fields})
