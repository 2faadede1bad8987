"""The known mistakes once more, from `yoloop`, and under a bare `dvc repro`, which cannot be as gentle."""

import shutil
import sys
from pathlib import Path

import pytest

from tests import spoil as s
from tests.real_project import Project
from tests.refusal import contents, refused

pytestmark = pytest.mark.slow
PARAMS = "params.yaml"


@pytest.fixture
def project(ran: Project, tmp_path: Path) -> Project:
    """A fresh copy of a project whose iteration 0 has run, and whose results are not committed."""
    shutil.copytree(ran.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project", ran.root.parent / "home")


COMMANDS = [  # id, what is wrong, command, words
    ("no-params", s.removed(PARAMS), "status", ("params.yaml", "folder of a yoloop project")),
    ("no-params-run", s.removed(PARAMS), "run", ("params.yaml", "folder of a yoloop project")),
    ("no-dataset", s.not_imported, "run", ("no dataset", "yoloop data import SOURCE")),
    ("no-dataset-advance", s.not_imported, "advance --review oracle", ("iteration 0", "yoloop finish")),
    ("unknown-key", s.param("train", "epochs", "epoch: 3"), "run", ("params.yaml:", "'train.epoch'")),
    (
        "unknown-key-of-a-later-stage",
        s.param("sample", "budget", "number: 3"),
        "run",
        ("params.yaml:", "'sample.number'"),
    ),
    ("wrong-type", s.param("train", "epochs", "epochs: many"), "run", ("params.yaml:", "train.epochs", "'many'")),
    (
        "iteration-by-hand",
        s.replaced(PARAMS, "iteration: 0", "iteration: 3"),
        "run",
        ("params.yaml", "iteration: 0", "iteration: 3", "Set iteration back to 0", "yoloop advance"),
    ),
    (
        "classes-in-another-order",
        s.replaced(PARAMS, "- detail\n- elevation\n", "- elevation\n- detail\n"),
        "run",
        ("data.yaml", "elevation, detail, title", "detail, elevation, title"),
    ),
    (
        "twin-prompts",
        s.replaced("data/prompts.yaml", "flat red bar", "open dark circle"),
        "run",
        ("'detail' and 'title'",),
    ),
    ("dataset-edited-by-hand", s.extra_label("val", "val_001", "3 0.5 0.5 0.1 0.1\n"), "run", ("data/dataset",)),
    (
        "carried-metrics-cut",
        s.written("metrics/review.json", b'{"packets": [{"iter'),
        "run",
        ("metrics/review.json", "expected JSON", "git checkout HEAD -- metrics/review.json"),
    ),
    (
        "carried-metrics-no-numbers",
        s.written("metrics/review.json", b'{"packets": [], "minutes_so_far": NaN}'),
        "run",
        ("metrics/review.json", "NaN, which is no number of JSON"),
    ),
    ("run-not-finished", s.all_of(), "advance --review oracle", ("iteration 0", "iteration-0", "yoloop finish")),
    ("classes-run", s.all_of(), "classes add door", ("dvc.lock", "start of iteration 0", "yoloop advance")),
    ("not-run", s.removed("dvc.lock"), "finish", ("dvc.lock", "dvc repro")),
    ("stale", s.param("sample", "budget", 5), "finish", ("stage sample", "params.yaml sample", "dvc repro")),
]


@pytest.mark.parametrize(("spoil", "command", "says"), [pytest.param(*row[1:], id=row[0]) for row in COMMANDS])
def test_yoloop_looks_before_it_starts(project, spoil, command, says):
    spoil(project.root)
    line = refused(project, "loop", *command.split())
    assert all(word in line for word in says), line


def test_advance_before_the_run_is_complete(project):
    """Finished, and then a result was changed: there is no complete run to go on from."""
    project.yoloop("finish")
    file = project.root / "metrics/validate.json"
    file.write_text(file.read_text() + "\n")
    line = refused(project, "loop", "advance", "--review", "oracle")
    assert "stage validate" in line or "stage converge" in line or "stage sample" in line
    assert "found changed or added: metrics/validate.json" in line


SOURCES = [  # id, what is wrong with the person's folder, more options, words
    (
        "unknown-class",
        s.written("train/labels/train_001.txt", b"0 0.5 0.5 0.1 0.1\n3 0.5 0.5 0.1 0.1\n"),
        (),
        ("train_001.txt:2", "class 3", "2 title"),
    ),
    ("empty-image", s.written("train/images/train_001.png", b""), (), ("train_001.png", "an empty file")),
    (
        "text-as-weights",
        s.written("weights.pt", b"none"),
        ("--baseline", "{source}/weights.pt"),
        ("weights.pt", "checkpoint"),
    ),
    ("no-such-weights", s.all_of(), ("--baseline", "yolo99.pt"), ("yolo99.pt", "neither")),
    ("no-names", s.removed("data.yaml"), (), ("data.yaml", "neither data.yaml nor")),
]


@pytest.mark.parametrize(("spoil", "options", "says"), [pytest.param(*row[1:], id=row[0]) for row in SOURCES])
def test_an_import_that_cannot_be_is_refused_whole(ran, project, tmp_path, spoil, options, says):
    s.not_imported(project.root)
    source = Path(shutil.copytree(ran.root.parent / "source", tmp_path / "source"))
    spoil(source)
    line = refused(project, "loop", "data", "import", str(source), *(o.format(source=source) for o in options))
    assert all(word in line for word in says), line


BARE = [  # id, what is wrong, the stage that stumbles, words
    ("unknown-key", s.param("validate", "iou", "overlap: 0.5"), "validate", ("params.yaml:", "'validate.overlap'")),
    ("no-gpu", s.param("train", "device", 77), "train", ("params.yaml", "device: 77", "auto")),
]


@pytest.mark.parametrize(("spoil", "stage", "says"), [pytest.param(*row[1:], id=row[0]) for row in BARE])
def test_under_bare_dvc_the_line_is_there_and_the_outs_come_back(project, spoil, stage, says):
    before = contents(project.root)
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "The results as they are")
    spoil(project.root)
    done = project.run(sys.executable, "-m", "dvc", "repro", code=255)
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert all(word in lines[0] for word in says), lines
    assert f"failed to reproduce '{stage}'" in done.stderr
    assert set(contents(project.root)) < set(before)  # DVC removed the outs before the stage could look
    project.git("checkout", "--", ".")  # params.yaml, and what Git keeps of the outs
    project.dvc("checkout")
    assert contents(project.root) == before
    assert "up to date" in project.dvc("status")


def test_a_stage_that_fails_under_yoloop_gives_its_line_once(project):
    """Nothing is changed here either: what DVC removed before the stage could look is put back."""
    s.param("train", "device", 77)(project.root)
    project.git("reset", "-q")  # DVC refreshes Git's index; what is in it must not depend on that
    line = refused(project, "loop", "run")
    assert "device: 77" in line
    assert line.endswith("then go on with `yoloop run`.")


def test_weights_that_do_not_fit_fail_under_yoloop_with_everything_as_it_was(project):
    s.written("models/parent.pt", b"no weights")(project.root)
    project.dvc("add", "-q", "models/parent.pt")
    project.git("commit", "-q", "-m", "Other weights", "models/parent.pt.dvc")
    line = refused(project, "loop", "run")
    assert "models/parent.pt: expected an Ultralytics checkpoint" in line
