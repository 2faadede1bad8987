"""How a detection is judged: section `validate` of params.yaml, beside the floor of section `predict`."""

from pathlib import Path

from pydantic import Field, field_validator

from stages.base.errors import problem
from stages.base.params import PARAMS, Strict
from stages.ruler.measurement import Point

AUTO = "auto"


class ValidateParams(Strict):
    """Section `validate` of params.yaml, where each key is explained."""

    iou: float = Field(gt=0, le=1)
    confidence: float | str

    @field_validator("confidence", mode="before")
    @classmethod
    def _number_or_auto(cls, value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        if not number and value != AUTO:
            raise ValueError(f"a number from 0 to 1, or {AUTO}")
        return value


def point_of(params: ValidateParams, floor: float, file: Path = PARAMS) -> Point:
    """Return how a detection is judged when what lies under `floor` was not saved.

    Raises `UserError` when the operating confidence of `file` lies under it: what counts must be there.
    """
    confidence = None if params.confidence == AUTO else float(params.confidence)
    if confidence is not None and floor > confidence:
        raise problem("validate_params.predict_confidence_floor", file, confidence=confidence, floor=floor)
    return Point(params.iou, confidence, floor)
