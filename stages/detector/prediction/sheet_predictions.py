"""Predicts on the sheets of the dataset with the weights of this iteration, here or on workers of a Ray cluster."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stages.dataset.sheets.split_folder import SplitSheet
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction, predict
from stages.detector.prediction.ray_run import predict_on_ray
from stages.detector.prediction.tiles.windows import Tiling
from stages.prompts.texts.prompt_file import Prompts

WEIGHTS = Path("models/best.pt")
_SAY_EVERY = 10  # sheets between two lines of progress
_PLACES = {"local": predict, "ray": predict_on_ray}


def predictions(
    sheets: Sequence[SplitSheet],
    *,
    classes: Sequence[str],
    prompts: Prompts,
    params: PredictParams,
    tiling: Tiling | None,
) -> Iterator[Prediction]:
    """Yield what the weights in models/best.pt see on `sheets`, in their order, and say how far we are.

    Wherever it is seen, it is the same.
    """
    images, labels = [one.sheet.image for one in sheets], [one.labels for one in sheets]
    look = _PLACES[params.run_on]
    seen = look(WEIGHTS, images, classes=classes, prompts=prompts, params=params, labels=labels, tiling=tiling)
    totals = Counter(one.split for one in sheets)
    done: Counter[str] = Counter()
    for one, prediction in zip(sheets, seen, strict=True):
        done[one.split] += 1
        count, total = done[one.split], totals[one.split]
        if count == total or count % _SAY_EVERY == 0:
            print(f"{one.split}: {count} of {total} sheets", flush=True)
        yield prediction
