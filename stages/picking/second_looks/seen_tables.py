"""What the stages left of all splits, as the arms need it that go beyond the pool."""

from typing import NamedTuple

import pandas as pd


class SeenTables(NamedTuple):
    """Tables with the columns of IMAGES, SUSPECTS, GROUND_TRUTH and DETECTIONS."""

    images: pd.DataFrame
    suspects: pd.DataFrame
    truth: pd.DataFrame
    detections: pd.DataFrame
