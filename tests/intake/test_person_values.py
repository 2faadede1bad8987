"""The person's values: all of them, and the numbers of the first system."""

import re
from pathlib import Path

import pytest
import yaml

from stages.intake.dataset_import import new_params
from stages.intake.import_source import ImportOptions
from stages.intake.person_values import PERSON_VALUES
from tests.fake_project import REPO


def flat(values: dict, prefix: str = "") -> dict[str, object]:
    """Return nested mappings as dotted paths."""
    result: dict[str, object] = {}
    for key, value in values.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


MACHINE = {"train.device", "train.workers", "train.amp", "predict.device"}


def machine(params: dict) -> dict[str, object]:
    return {key: value for key, value in flat(params).items() if key in MACHINE}


def test_every_key_has_a_persons_value():
    params = flat(yaml.safe_load((REPO / "params.yaml").read_text()))
    assert set(params) - {"classes"} - MACHINE == set(PERSON_VALUES)


def test_a_comment_begins_with_the_persons_value_exactly_where_the_demo_has_another():
    text = (REPO / "params.yaml").read_text()
    demo, said, path = flat(yaml.safe_load(text)), {}, []
    for line in text.splitlines():
        if match := re.match(r"( *)(\w+):(?: \S+ # (?:your sheets: (\S+); )?)?", line):
            path = [*path[: len(match[1]) // 2], match[2]]
            if match[3]:
                said[".".join(path)] = yaml.safe_load(match[3])
    assert said == {key: value for key, value in PERSON_VALUES.items() if demo[key] != value}
    assert len(said) > 5


def test_an_import_says_nothing_more_of_the_demos_values():
    text = new_params(REPO, ("a", "b"), ImportOptions()).decode()
    assert "your sheets" not in text
    assert "demo" not in text
    assert "epochs_baseline: 150 # epochs of iteration 0" in text
    kept = new_params(REPO, ("a", "b"), ImportOptions(keep_params=True)).decode()
    assert "your sheets: 150" in kept


def test_the_values_of_the_first_system():
    assert {key: PERSON_VALUES[key] for key in FIRST_SYSTEM} == FIRST_SYSTEM


FIRST_SYSTEM = {
    "iteration": 0,
    "train.epochs_baseline": 150,
    "train.epochs": 100,
    "train.base_lr": 0.001,
    "train.lr_decay": 0.5,
    "train.patience": 20,
    "train.imgsz": 2560,
    "train.batch": 2,
    "train.augment.fliplr": 0.0,
    "train.encoder": "mobileclip2",
    "predict.imgsz": 2560,
    "validate.iou": 0.5,
    "validate.confidence": 0.25,
    "analyze.tiny_area": 500,
    "analyze.small_area": 2000,
    "analyze.medium_area": 10000,
    "analyze.border": 100,
    "analyze.low_contrast": 30.0,
    "analyze.aspect_min": 0.2,
    "analyze.aspect_max": 5.0,
    "analyze.overlap_iou": 0.3,
    "analyze.crop_padding": 50,
    "analyze.heatmap_bins": 50,
    "converge.target_f1": 0.98,
    "converge.max_iterations": 10,
    "converge.plateau_gain": 0.005,
    "converge.plateau_window": 3,
    "converge.overfit_gap": 0.05,
    "sample.budget": 20,
    "sample.class_balance": 0.3,
    "sample.size_diversity": 0.3,
    "sample.spatial_diversity": 0.2,
    "sample.uncertainty": 0.2,
    "sample.most_per_sheet": 0.25,
    "sample.plausible": 0.1,
    "sample.prelabel_confidence": 0.25,
}


@pytest.mark.parametrize(("keep", "epochs"), [(True, 7), (False, 100)])
def test_a_persons_own_params_can_stay(tmp_path: Path, keep: bool, epochs: int):
    text = re.sub(r"epochs: \d+", "epochs: 7", (REPO / "params.yaml").read_text()).replace(
        "iteration: 0", "iteration: 4"
    )
    (tmp_path / "params.yaml").write_text(text)
    params = yaml.safe_load(new_params(tmp_path, ("a", "b"), ImportOptions(keep_params=keep)))
    assert (params["iteration"], params["classes"], params["train"]["epochs"]) == (0, ["a", "b"], epochs)
