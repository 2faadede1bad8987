"""params.yaml holds a person's values; the demo's take their place, and an import puts a person's back."""

import re
from pathlib import Path

import pytest
import yaml

from stages.base.errors import UserError
from stages.intake.dataset_import import _require_committed, new_params
from stages.intake.demo_values import (
    DEMO_PARAMS,
    demo_values,
    drawn_params,
    holds_edits,
    is_drawn,
    own_values_line,
    tile_before,
)
from stages.intake.import_source import ImportOptions
from stages.project.yaml_edits import edited, flat
from tests.fake_project import REPO, person_params, sh

PERSON = flat(yaml.safe_load(person_params()))
CLASSES = ("a", "b")


def test_the_values_of_the_first_system():
    assert {key: PERSON[key] for key in FIRST_SYSTEM} == FIRST_SYSTEM


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
    "converge.rule": "evidence",
    "converge.target_f1": 0.98,
    "converge.max_iterations": 10,
    "converge.max_minutes": None,
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


def test_every_value_of_the_demo_has_the_place_of_another_one_and_a_reason():
    demo = demo_values(REPO)
    assert len(demo) > 5
    assert set(demo) <= set(PERSON)
    assert [key for key, value in demo.items() if PERSON[key] == value] == []
    assert all(type(PERSON[key]) is type(value) for key, value in demo.items())
    lines = [line for line in (REPO / DEMO_PARAMS).read_text().splitlines() if re.match(r" +\w+: \S", line)]
    assert len(lines) == len(demo)
    assert [line for line in lines if " # " not in line] == []


@pytest.fixture
def clone(clean_env: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with nothing but a person's values and the demo's; the current folder."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "params.yaml").write_text(person_params())
    (tmp_path / DEMO_PARAMS).write_text((REPO / DEMO_PARAMS).read_text())
    sh(tmp_path, "git", "init", "-q")
    sh(tmp_path, "git", "add", ".")
    sh(tmp_path, "git", "commit", "-qm", "A clone")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(*, keep: bool = False, encoder: str | None = None, demo_has_run: bool = False) -> dict[str, object]:
    """Return the values that an import would write, but for the classes, which are those of the source."""
    options = ImportOptions(keep_params=keep)
    text = new_params(Path(), CLASSES, options, encoder=encoder, demo_has_run=demo_has_run).decode()
    values = flat(yaml.safe_load(text))
    assert values.pop("classes") == list(CLASSES)
    return values


def put(**values: object) -> None:
    """Write values into params.yaml, with __ for a dot."""
    dotted = {key.replace("__", "."): value for key, value in values.items()}
    Path("params.yaml").write_text(edited(Path("params.yaml").read_text(), dotted))


def commit() -> None:
    sh(Path(), "git", "commit", "-qam", "more")


def take_demo() -> None:
    Path("params.yaml").write_text(drawn_params(Path()))


WITHOUT = {key: value for key, value in PERSON.items() if key != "classes"}


def test_an_import_begins_with_a_persons_values_and_what_the_target_wants(clone: Path):
    assert imported() == WITHOUT
    assert imported(encoder="wordllama") == {**WITHOUT, "train.encoder": "wordllama"}


def test_values_that_a_person_has_committed_stay_and_the_demos_among_them(clone: Path):
    put(iteration=4, train__epochs=7, train__batch=demo_values(clone)["train.batch"])
    commit()
    mine = {**WITHOUT, "train.epochs": 7, "train.batch": demo_values(clone)["train.batch"]}
    assert imported(encoder="wordllama") == {**mine, "train.encoder": "wordllama"}
    assert imported(keep=True, encoder="wordllama") == mine


def test_where_the_demo_was_drawn_an_import_writes_a_persons_values(clone: Path):
    assert not is_drawn(clone)
    take_demo()
    assert is_drawn(clone)
    _require_committed(clone)
    assert imported() == WITHOUT
    assert imported(keep=True) == {**WITHOUT, **demo_values(clone)}
    commit()  # as a person may do who reads of uncommitted changes elsewhere
    assert not is_drawn(clone)
    assert imported() == WITHOUT


def test_where_the_demo_has_run_an_import_puts_back_what_stood_before_it(clone: Path):
    put(train__epochs=70)
    commit()
    take_demo()
    commit()
    put(train__imgsz=640, sample__budget=30, iteration=1)  # typed while the demo went on
    commit()
    mine = {**WITHOUT, "train.epochs": 70, "train.imgsz": 640, "sample.budget": 30}
    assert imported(demo_has_run=True) == mine


def test_a_version_that_nobody_can_read_is_passed_over(clone: Path):
    take_demo()
    commit()
    (clone / "params.yaml").write_text("train: [\n")
    commit()
    (clone / "params.yaml").write_text(edited(person_params(), demo_values(clone)))
    commit()
    assert imported() == WITHOUT


def test_values_that_are_not_committed_go_in_with_the_import_and_are_named(clone: Path):
    assert own_values_line(clone) == []
    demo = demo_values(clone)
    put(train__epochs=7, train__imgsz=demo["train.imgsz"], predict__imgsz=demo["predict.imgsz"])
    assert holds_edits(clone)
    _require_committed(clone)
    mine = {"train.epochs": 7, "train.imgsz": demo["train.imgsz"], "predict.imgsz": demo["predict.imgsz"]}
    assert imported() == {**WITHOUT, **mine}
    assert own_values_line(clone) == [
        f"params.yaml: what you have edited is committed with the import: train.epochs {PERSON['train.epochs']} -> 7, "
        f"train.imgsz {PERSON['train.imgsz']} -> 320, predict.imgsz {PERSON['predict.imgsz']} -> 320"
    ]


def test_a_value_of_the_demos_that_a_person_types_after_it_has_run_stays(clone: Path):
    take_demo()
    commit()
    put(train__epochs=70)
    assert imported(demo_has_run=True) == {**WITHOUT, "train.epochs": 70}


def test_params_without_a_key_of_before_are_not_taken(clone: Path):
    (clone / "params.yaml").write_text("iteration: 0\n")
    assert not holds_edits(clone)


def test_a_tile_that_an_import_has_set_goes_with_it_and_a_persons_stays(clone: Path):
    assert tile_before(clone, []) == {}
    put(tile=64)
    commit()
    assert tile_before(clone, ["HEAD"]) == {"tile": None}
    put(tile=128)
    assert tile_before(clone, ["HEAD"]) == {}


def test_what_a_person_typed_on_top_of_the_demos_values_is_not_overwritten(clone: Path):
    take_demo()
    put(train__epochs=7)
    assert not is_drawn(clone)
    with pytest.raises(UserError, match=r"params.yaml: expected no uncommitted changes"):
        _require_committed(clone)
