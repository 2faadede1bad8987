"""DVC's lines in our words, and the numbers of a plan."""

import pytest

from stages.iteration.run_lines import complaint, framed, last_step, not_said, plan_line, translated, work_lines

STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Running stage 'analyze':\n", "[STEP 4/6] Analyzing what was missed...\n"),
        ("Stage 'train' didn't change, skipping\n", "[STEP 1/6] Training: nothing has changed, skipped\n"),
        (
            "Stage 'sample' is cached - skipping run, checking out outputs\n",
            "[STEP 6/6] Choosing what to review: taken from the cache\n",
        ),
        ("Running stage 'other':\n", "Running stage 'other':\n"),
        ("'models/parent.pt.dvc' didn't change, skipping\n", None),
        ("Updating lock file 'dvc.lock'\n", None),
        ("\n", None),
        ("epoch 1/3  loss 0.5\r", "epoch 1/3  loss 0.5\r"),
        ("ERROR: failed to reproduce 'train': it failed\n", "ERROR: failed to reproduce 'train': it failed\n"),
    ],
)
def test_a_line_of_dvc(line, said):
    assert translated(line, STAGES) == said


def test_a_stages_own_error_comes_before_dvcs():
    lines = ["error: first\n", "error: params.yaml:3: wrong\n", "ERROR: failed to reproduce 'train'\n"]
    assert complaint(lines) == "params.yaml:3: wrong"
    assert complaint(lines[2:]) == "failed to reproduce 'train'"
    assert complaint(["fine\n"]) is None


def test_the_step_that_a_run_was_at():
    lines = ["Running stage 'train':\n", "Running stage 'validate':\n", "epoch 1\n"]
    assert last_step(lines, STAGES) == "step 3/6, validate"
    assert last_step([], STAGES) is None


TRAIN = {"baseline": "train", "epochs_baseline": 150, "epochs": 100, "base_lr": 0.001, "lr_decay": 0.5}


@pytest.mark.parametrize(
    ("iteration", "baseline", "says"),
    [
        (0, "train", "YOLO-26 baseline, no prompts; 150 epochs, learning rate 0.001,"),
        (0, "adopt", "the weights that were brought, unchanged"),
        (1, "adopt", "YOLOE-26 with text prompts; 100 epochs, learning rate 0.0005,"),
        (3, "train", "YOLOE-26 with text prompts; 100 epochs, learning rate 0.000125,"),
        (0, "zero-shot", "models/target.pt told the prompts, untrained"),
        (1, "zero-shot", "YOLOE-26 with text prompts, from the base weights; 150 epochs, learning rate 0.001,"),
        (2, "zero-shot", "YOLOE-26 with text prompts; 100 epochs, learning rate 0.0005,"),
    ],
)
def test_the_plan_of_an_iteration(iteration, baseline, says):
    assert says in plan_line(iteration, {"train": {**TRAIN, "baseline": baseline, "imgsz": 2560, "batch": 2}})


def test_the_plan_of_a_start_from_the_base_weights():
    values = {**TRAIN, "start": "base", "imgsz": 2560, "batch": 2}
    assert "text prompts, from the base weights; 150 epochs, learning rate 0.001," in plan_line(3, {"train": values})
    assert plan_line(0, {"train": values}) == plan_line(0, {"train": {**values, "start": "parent"}})


def test_the_plan_names_windows_where_sheets_are_cut():
    values = {**TRAIN, "baseline": "train", "imgsz": 1024, "batch": 2}
    assert "windows" not in plan_line(0, {"train": values, "tile": None})
    assert plan_line(0, {"train": values, "tile": 1024}).endswith(", imgsz 1024, batch 2, windows of 1024 px")


def test_a_long_line_widens_the_frame():
    rows = framed("T", ["x" * 100, "short"]).splitlines()
    assert {len(row) for row in rows} == {104}


def test_a_result_is_said_once():
    results = ["[CONVERGENCE] go on: F1 on val is 0.4", "[SAMPLING] 8 of 30 candidates picked"]
    assert not_said(results, ["[CONVERGENCE] iteration 0: go on. F1 on val is 0.4\n"]) == results[1:]
    assert not_said(results, ["Stage 'converge' didn't change, skipping\n"]) == results


def test_what_a_packet_is_to_a_reviewer():
    sample = {"packet_sheets": 22, "packet_boxes": 1774, "packet_minutes": 128.4, "chosen_objects": 20}
    assert work_lines(sample) == [
        "22 sheets to review, with 1774 boxes drawn on them: about 128 minutes.",
        "20 places on them, most likely wrong, to look at first.",
        "Too much at once? sample.unit: minutes with sample.budget: 30 picks half an hour (params.yaml).",
    ]
    assert len(work_lines({**sample, "packet_minutes": 60.0})) == 2
    assert work_lines({**sample, "packet_minutes": 0.1})[0].endswith("about 1 minute.")
    assert work_lines({"packet_sheets": 1}) == ["1 sheet to review."]
