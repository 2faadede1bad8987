"""Every state of a project has one name and one next step."""

import pytest

from stages.project.position import Changes, Facts, Position, next_step, position_of, read_changes, state_line

STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
FINISHED = Facts(
    iteration=2,
    imported=True,
    branch="main",
    finished=True,
    same_run=True,
    verdict="go on",
    packet=3,
    changes=Changes(),
    all_stages=STAGES,
)
OPEN = FINISHED._replace(finished=False, same_run=False, verdict=None, packet=None)

CASES = [
    (OPEN._replace(imported=False), Position.NO_DATASET, "yoloop data import SOURCE"),
    (FINISHED._replace(branch=None), Position.DETACHED, "git switch main && dvc checkout"),
    (
        OPEN._replace(changes=Changes(missing=("data/dataset",), stages=STAGES)),
        Position.INPUTS_MISSING,
        "dvc checkout data/dataset",
    ),
    (OPEN._replace(changes=Changes(missing=("a",), absent=("b",))), Position.INPUTS_MISSING, "dvc pull"),
    (
        OPEN._replace(changes=Changes(uncached=("data/dataset",), uncached_outs=("models/best.pt",), stages=STAGES)),
        Position.UNCACHED,
        "dvc commit (puts what lies here back",
    ),
    (
        OPEN._replace(changes=Changes(uncached=("data/dataset",), stages=STAGES)),
        Position.UNCACHED,
        "dvc commit data/dataset.dvc (puts what lies here back",
    ),
    (
        OPEN._replace(changes=Changes(modified=("models/parent.pt",), stages=STAGES)),
        Position.INPUTS_CHANGED,
        "put them back: dvc checkout --force models/parent.pt",
    ),
    (
        OPEN._replace(changes=Changes(modified=("data/dataset",), stages=STAGES)),
        Position.INPUTS_CHANGED,
        "yoloop data accept (makes your changes of data/dataset official), or put them back: dvc checkout --force",
    ),
    (
        FINISHED._replace(changes=Changes(modified=("data/dataset",), stages=STAGES)),
        Position.INPUTS_CHANGED,
        "copy what you changed elsewhere, then put them back: dvc checkout --force data/dataset (it counts from the",
    ),
    (
        OPEN._replace(to_label=(4, 4), changes=Changes(stages=STAGES)),
        Position.UNLABELLED,
        "yoloop review open --split val",
    ),
    (OPEN._replace(changes=Changes(stages=STAGES)), Position.NOT_RUN, "yoloop run"),
    (OPEN._replace(changes=Changes(stages=STAGES[2:])), Position.STALE, "yoloop run"),
    (
        OPEN._replace(changes=Changes(stages=STAGES, altered=("data/predict",), outputs_only=True)),
        Position.OUTPUTS_CHANGED,
        "move what was put or changed there elsewhere",
    ),
    (OPEN._replace(changes=Changes(stages=STAGES, altered=("data/predict",))), Position.NOT_RUN, "yoloop run"),
    (
        OPEN._replace(changes=Changes(stages=STAGES, outputs_only=True)),
        Position.OUTPUTS_MISSING,
        "dvc checkout ",
    ),
    (OPEN, Position.COMPLETE, "yoloop finish"),
    (
        FINISHED._replace(changes=Changes(stages=("train",))),
        Position.OTHER_EXPERIMENT,
        "git stash && dvc checkout",
    ),
    (FINISHED._replace(same_run=False), Position.OTHER_EXPERIMENT, "git stash && dvc checkout"),
    (FINISHED, Position.FINISHED, "review the packet (yoloop review open, or export and import), then: yoloop advance"),
    (FINISHED._replace(packet=0), Position.USED_UP, "none: the pool has nothing more"),
    (FINISHED._replace(packet=0, verdict="stop"), Position.STOPPED, "none; to go on in spite of it"),
    (FINISHED._replace(verdict="stop"), Position.STOPPED, "none; to go on in spite of it"),
]


@pytest.mark.parametrize(("facts", "position", "step"), CASES)
def test_position_and_next_step(facts, position, step):
    assert position_of(facts) is position
    assert next_step(facts, home="main").startswith(step)
    assert state_line(facts).startswith(position.value)


def test_every_position_is_in_the_table():
    assert {position for _, position, _ in CASES} == set(Position)


def test_the_state_names_the_stages():
    facts = OPEN._replace(changes=Changes(stages=("converge", "sample")))
    assert state_line(facts) == "to be run again: converge, sample"


def test_an_oracle_needs_no_review():
    assert next_step(FINISHED, reviewer="oracle") == "yoloop run"


def test_what_is_edited_in_a_review_changes_nothing():
    prompts = {"changed deps": {"data/prompts.yaml": {"prompts": "modified"}}}
    params = {"changed deps": {"params.yaml": {"train": "modified", "analyze.tiny_area": "modified"}}}
    classes = {"changed deps": {"params.yaml": {"classes": "modified", "train": "modified"}}}
    code = {"changed deps": {"stages/base": "modified", **params["changed deps"]}}
    assert read_changes({"train": [prompts], "validate": [params, prompts]}, finished=True) == Changes()
    assert read_changes({"train": [prompts]}) == Changes(stages=("train",))
    assert read_changes({"train": [params]}) == Changes(stages=("train",))
    status = {"train": [classes], "predict": [code], "validate": [prompts], "analyze": ["changed command"]}
    assert read_changes(status, finished=True) == Changes(stages=("train", "predict", "analyze"))


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        ({}, Changes()),
        (
            {"train": [{"changed deps": {"models/parent.pt": "deleted"}}],
             "models/parent.pt.dvc": [{"changed outs": {"models/parent.pt": "deleted"}}]},
            Changes(missing=("models/parent.pt",), stages=("train",)),
        ),
        (
            {"data/dataset.dvc": [{"changed outs": {"data/dataset": "not in cache"}}],
             "models/parent.pt.dvc": [{"changed outs": {"models/parent.pt": "modified"}}]},
            Changes(absent=("data/dataset",), modified=("models/parent.pt",)),
        ),
        (
            {"train": [{"changed outs": {"models/best.pt": "deleted"}}],
             "validate": [{"changed deps": {"models/best.pt": "deleted"}}]},
            Changes(stages=("train", "validate"), gone=("models/best.pt",), outputs_only=True),
        ),
        (  # a file of a folder that another stage writes is gone with the folder
            {"validate": [{"changed outs": {"data/validate": "deleted"}}],
             "converge": [{"changed deps": {"data/validate/scores.csv": "deleted"}}]},
            Changes(stages=("validate", "converge"), gone=("data/validate",), outputs_only=True),
        ),
        (  # and a file beside such a folder is no part of it
            {"validate": [{"changed outs": {"data/validate": "deleted"}}],
             "converge": [{"changed deps": {"data/validate.csv": "deleted"}}]},
            Changes(stages=("validate", "converge"), gone=("data/validate",)),
        ),
        (
            {"train": [{"changed deps": {"params.yaml": {"train.epochs": "modified"}}},
                       {"changed outs": {"models/best.pt": "deleted"}}]},
            Changes(stages=("train",), gone=("models/best.pt",)),
        ),
        ({"train": ["changed command"]}, Changes(stages=("train",))),
    ],
)  # fmt: skip
def test_what_dvc_says(status, changes):
    assert read_changes(status) == changes


def test_what_lies_here_and_is_no_longer_in_the_cache():
    data = {"data/dataset.dvc": [{"changed outs": {"data/dataset": "not in cache", "data/far": "not in cache"}}]}
    train = {"train": [{"changed outs": {"models/best.pt": "not in cache"}}]}
    params = {"train": [*train["train"], {"changed deps": {"params.yaml": {"train": "modified"}}}]}
    gone = {**train, "sample": [{"changed outs": {"data/sample": "deleted"}}]}

    def found(status):
        changes = read_changes(status, here=lambda path: path != "data/far")
        return changes.uncached + changes.uncached_outs, changes.absent

    assert found({**data, **train}) == (("data/dataset", "models/best.pt"), ("data/far",))
    assert found({**data, **params}) == (("data/dataset",), ("data/far",))  # train makes its output anew
    assert found(gone) == ((), ())
    assert read_changes(data).absent == ("data/dataset", "data/far")
