"""The areas between tiny, small, medium and large: section `analyze` of params.yaml has them, three stages use them."""

from pydantic import ConfigDict

from stages.base.params import Strict


class SizeBounds(Strict):
    """The part of section `analyze` that says what is tiny, small and medium; px² of the original image."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    tiny_area: float
    small_area: float
    medium_area: float

    @property
    def areas(self) -> list[float]:
        """The three limits, rising."""
        return [self.tiny_area, self.small_area, self.medium_area]
