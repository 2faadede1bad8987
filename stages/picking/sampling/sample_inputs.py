"""All that `sample` knows before it chooses: what is asked for, and what the stages before and reviews left."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from stages.analysis.analysis_tables import SUSPECTS
from stages.analysis.finding_params import FindingParams
from stages.analysis.findings import FindingLimits
from stages.base.params import read_baseline, read_classes, read_iteration, read_section
from stages.base.tables import read_metrics, read_table
from stages.dataset.sheets.split_folder import Sheet, read_split
from stages.picking.sampling.sample_params import SampleParams
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.ruler.validate_params import ValidateParams

VALIDATE = Path("data/validate")
SUSPECTS_FILE = Path("data/analyze/suspects.parquet")
REVIEWED = Path("metrics/review.json")  # of the reviews before


class SeenTables(NamedTuple):
    """What the stages left of all splits: tables with the columns of IMAGES, SUSPECTS, GROUND_TRUTH and DETECTIONS."""

    images: pd.DataFrame
    suspects: pd.DataFrame
    truth: pd.DataFrame
    detections: pd.DataFrame

    @property
    def pool(self) -> pd.DataFrame:
        """The rows of `images` for the pool."""
        return self.images[self.images["split"] == "pool"]

    @property
    def train(self) -> pd.DataFrame:
        """The rows of `truth` for train."""
        return self.truth[self.truth["split"] == "train"]


class SampleInputs(NamedTuple):
    """What a packet is made from, but for the findings and the features, which few functions need."""

    params: SampleParams
    classes: tuple[str, ...]
    iteration: int
    seen: SeenTables
    limits: FindingLimits
    iou: float  # the ruler's
    reviewed: Mapping[str, Any]  # metrics/review.json
    files: Mapping[str, Sheet]  # of the sheets that may go out, by image_id
    cold: bool = False  # the model was told prompts, and no label has taught it anything


def read_inputs() -> SampleInputs:
    """Return what lies in the project; raise `UserError` where it is not as the stages, or a manifest, have it."""
    params, iteration = read_section(SampleParams, "sample"), read_iteration()
    return SampleInputs(
        params,
        read_classes(),
        iteration,
        _read_seen(),
        read_section(FindingParams, "analyze").limits(),
        read_section(ValidateParams, "validate").iou,
        read_metrics(REVIEWED),
        _sheet_files(params.splits()),
        cold=iteration == 0 and read_baseline() == "zero-shot",
    )


def _read_seen() -> SeenTables:
    return SeenTables(
        read_table(VALIDATE / "images.parquet", IMAGES),
        read_table(SUSPECTS_FILE, SUSPECTS),
        read_table(VALIDATE / "ground_truth.parquet", GROUND_TRUTH),
        read_table(PREDICTED / "detections.parquet", DETECTIONS),
    )


def _sheet_files(splits: Sequence[str]) -> dict[str, Sheet]:
    return {sheet.image_id: sheet for split in splits for sheet in read_split(split)}
