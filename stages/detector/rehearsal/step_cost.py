"""What a training costs: sheets, images, steps, and seconds scaled from a measured one."""

from math import ceil
from typing import NamedTuple

PROMPTED = 2.0  # times as long as without text prompts: measured for YOLOE-26n against YOLO-26n


class Training(NamedTuple):
    """How much there is to compute."""

    sheets: int
    epochs: int
    batch: int  # sheets per step
    imgsz: int  # px of the longer side
    prompted: bool  # YOLOE with text prompts

    @property
    def images(self) -> int:
        """Sheets, each counted once per epoch."""
        return self.sheets * self.epochs

    @property
    def steps(self) -> int:
        """Batches over all epochs; the last one of an epoch may be smaller."""
        return self.epochs * ceil(self.sheets / self.batch)


def scaled(seconds: float, *, measured: Training, wanted: Training) -> float:
    """Return what `wanted` takes when `measured` took `seconds`: by images, by pixels, and by text prompts."""
    ratio = wanted.images * wanted.imgsz**2 / (measured.images * measured.imgsz**2)
    return seconds * ratio * PROMPTED ** (wanted.prompted - measured.prompted)


def duration(seconds: float) -> str:
    """Return seconds as a person says them: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "less than 1 s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def work_line(wanted: Training) -> str:
    """Return how much there is to compute, in one line."""
    return (
        f"{wanted.sheets} sheets x {wanted.epochs} epochs = {wanted.images} images, in {wanted.steps} steps of "
        f"{wanted.batch}, at {wanted.imgsz} px"
    )
