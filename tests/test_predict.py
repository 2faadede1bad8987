import numpy as np
import pytest
import yaml

from stages.base.errors import UserError
from stages.base.params import read_section
from stages.base.tables import read_table
from stages.dataset.sheets.split_folder import Sheet, SplitSheet
from stages.detector.prediction.box_features import FEATURES
from stages.detector.prediction.prediction_tables import FEATURE_FLOOR, predicted_tables, save_predicted
from stages.detector.prediction.predictor import Discarded, Prediction
from stages.predict import Params
from stages.ruler.pairing.box_tables import DETECTIONS, DISCARDED, SHEETS
from tests.fake_project import person_params

OFF = dict.fromkeys(("min_area", "max_area", "min_side", "max_aspect", "border"))  # filters


def sheet(split, name, tmp_path):
    return SplitSheet(split, Sheet(tmp_path / name, tmp_path / f"{name}.txt"), None)


def seen(confidence, mark):
    """Return a prediction whose features tell its detections apart: `mark`, then the place in the sheet."""
    count = len(confidence)
    features = np.zeros((count, FEATURES), np.float16)
    features[:, 0], features[:, 1] = mark, np.arange(count)
    boxes = np.tile([1.0, 2.0, 30.0, 40.0], (count, 1))
    lost = Discarded(np.array([1], np.int32), np.array([0.005]), boxes[:1], np.array(["floor"]))
    return Prediction(None, 200, 100, np.zeros(count, np.int32), np.array(confidence), boxes, lost, features)


@pytest.fixture
def predicted(tmp_path):
    sheets = [sheet("val", "b.png", tmp_path), sheet("train", "z.png", tmp_path), sheet("val", "a.png", tmp_path)]
    shown = [seen([0.9, 0.0099999], 1), seen([0.5, 0.0099], 2), seen([0.02], 3)]
    return predicted_tables(sheets, shown)


def test_the_size_of_every_sheet_and_every_box_is_kept(predicted):
    assert predicted.sheets["image_id"].tolist() == ["z.png", "a.png", "b.png"]
    assert predicted.sheets[["width", "height"]].drop_duplicates().to_numpy().tolist() == [[200, 100]]
    assert predicted.detections["confidence"].tolist() == [0.5, 0.0099, 0.02, 0.9, 0.01]
    assert predicted.detections["detection_id"].tolist() == [0, 1, 0, 0, 1]
    assert predicted.discarded["reason"].tolist() == ["floor"] * 3


def test_features_stand_in_the_order_of_the_detections_that_have_some(predicted):
    rows = predicted.detections[predicted.detections["confidence"] >= FEATURE_FLOOR]
    assert len(predicted.features) == len(rows) == 4  # 0.0099999 is saved as 0.01
    mark = {"z.png": 2, "a.png": 3, "b.png": 1}
    assert predicted.features[:, 0].tolist() == [mark[name] for name in rows["image_id"]]
    assert predicted.features[:, 1].tolist() == rows["detection_id"].tolist()


def test_equal_predictions_are_equal_bytes(predicted, tmp_path):
    for name in ("one", "two"):
        save_predicted(predicted, tmp_path / name)
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert files == ["detections.parquet", "discarded.parquet", "features.npy", "sheets.parquet"]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)
    for name, schema in (("sheets", SHEETS), ("detections", DETECTIONS), ("discarded", DISCARDED)):
        assert len(read_table(tmp_path / "one" / f"{name}.parquet", schema)) > 0
    assert np.load(tmp_path / "one/features.npy").dtype == np.float16


def test_nothing_to_look_at(tmp_path):
    predicted = predicted_tables([], [])
    assert predicted.features.shape == (0, FEATURES)
    save_predicted(predicted, tmp_path)
    assert read_table(tmp_path / "detections.parquet", DETECTIONS).empty


def params_with(tmp_path, **changes):
    values = yaml.safe_load(person_params())
    values["predict"].update(changes)
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


@pytest.mark.parametrize(("device", "expected"), [("auto", "auto"), (0, "0"), ("cpu", "cpu")])
def test_params(tmp_path, device, expected):
    params = read_section(Params, "predict", params_with(tmp_path, device=device))
    assert (params.device, params.max_det) == (expected, 1000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filters": {**OFF, "min_side": -1}}, "predict.filters.min_side: greater than or equal to 0"),
        ({"filters": {**OFF, "min_sides": 12}}, "found 'predict.filters.min_sides'"),
        ({"confidence_floor": 1.5}, "predict.confidence_floor: less than or equal to 1"),
        ({"batch": 1.5}, "predict.batch"),
        ({"device": "gpu"}, "predict.device"),
        ({"iou": 0.5}, "found 'predict.iou'"),
    ],
)
def test_wrong_params_name_the_key(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        read_section(Params, "predict", params_with(tmp_path, **changes))
