"""Stage `predict`: looks at every sheet of train, val and pool once, and saves all that the network saw."""

from stages.base.command import stage_command
from stages.base.params import read_classes, read_section
from stages.dataset.sheets.split_folder import check_names, split_sheets
from stages.detector.prediction.prediction_params import PredictParams as Params
from stages.detector.prediction.prediction_tables import predicted_tables, save_predicted
from stages.detector.prediction.sheet_predictions import predictions
from stages.detector.prediction.tiles.label_overlap import read_tiling
from stages.prompts.texts.prompt_file import read_prompts

SPLITS = ("train", "val", "pool")  # test is opened once, by `yoloop holdout`


def run() -> None:
    """Predict on train, val and pool, and save every box that the network gave."""
    params, classes = read_section(Params, "predict"), read_classes()
    prompts = read_prompts(classes)
    check_names(classes)
    sheets = split_sheets(SPLITS, classes)
    tiling = read_tiling(classes)
    seen = list(predictions(sheets, classes=classes, prompts=prompts, params=params, tiling=tiling))
    save_predicted(predicted_tables(sheets, seen))


main = stage_command("predict", run)

if __name__ == "__main__":
    main()
