"""How long and how fast an iteration trains follows from what it starts from."""

import pytest

from stages.base.errors import UserError
from stages.base.params import read_section
from stages.detector.training.training_params import TrainParams, settings
from tests.fake_project import person_params


@pytest.fixture
def params(tmp_path):
    """Return a function that reads the section `train` with another line for `start`."""

    def read(start: str) -> TrainParams:
        file = tmp_path / "params.yaml"
        file.write_text(person_params().replace("  start: parent\n", start))
        return read_section(TrainParams, "train", file)

    return read


@pytest.mark.parametrize(
    ("start", "iteration", "epochs", "rate"),
    [
        ("  start: parent\n", 0, 150, 0.001),
        ("  start: parent\n", 3, 100, 0.000125),
        ("", 3, 100, 0.000125),  # a params.yaml from before it was a choice
        ("  start: base\n", 0, 150, 0.001),  # iteration 0 is the same
        ("  start: base\n", 3, 150, 0.001),
    ],
)
def test_a_fresh_start_has_the_epochs_and_the_rate_of_one(params, start, iteration, epochs, rate):
    used = settings(params(start), iteration, "cpu")
    assert (used["epochs"], used["lr0"]) == (epochs, rate)


@pytest.mark.parametrize(
    ("iteration", "epochs", "rate"), [(0, 150, 0.001), (1, 150, 0.001), (2, 100, 0.0005), (4, 100, 0.000125)]
)
def test_after_a_zero_shot_start_iteration_1_is_the_first_that_learns(params, iteration, epochs, rate):
    told = params("  start: parent\n").model_copy(update={"baseline": "zero-shot"})
    used = settings(told, iteration, "cpu")
    assert (used["epochs"], used["lr0"]) == (epochs, rate)


def test_another_start_is_one_line(params):
    with pytest.raises(UserError, match=r"expected train.start: .*'parent' or 'base', found 'iteration'"):
        params("  start: iteration\n")
