"""`yoloop run --dry-run` with the real stages: what it says, and that the workspace stays byte for byte."""

import json
import shutil
from pathlib import Path

import pytest

from tests.everything import everything
from tests.real_project import Project

pytestmark = pytest.mark.slow


@pytest.fixture
def project(ran: Project, tmp_path: Path) -> Project:
    """A copy of a project whose iteration 0 has run, with files of the person."""
    shutil.copytree(ran.root, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project", ran.root.parent / "home")
    project.yoloop("status")  # Git's index and Python's compiled files are as after any command
    project.env["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    return project


def test_everything_but_training_and_nothing_changes(project):
    """The person's edits count in the try, and the parent of these classes stands in for what is not trained."""
    file = project.root / "params.yaml"
    file.write_text(file.read_text().replace("plausible: 0.1 ", "plausible: 0.2 "))
    before = everything(project.root)
    done = project.yoloop("run", "--dry-run")
    assert everything(project.root) == before
    assert not list(Path(project.env["TMPDIR"]).glob("yoloop*"))
    said = done.stdout.splitlines()
    steps = [line.split("]")[0] for line in said if line.startswith("[STEP")]
    assert steps == [f"[STEP {step}/6" for step in range(1, 7)]
    assert "[STEP 1/6] Training... left out" in said
    assert (
        "models/parent.pt stands in as it is: the numbers below are those of these weights, before any training."
        in said
    )
    (f1,) = [line for line in said if line.startswith("On val, untrained: F1 0.")]
    assert "P 0." in f1
    verdict, f1, *_ = [line for line in said if line.startswith("[CONVERGENCE]")]
    assert ("go on" in verdict, "F1 on val" in f1) == (True, True)
    assert len([line for line in said if line.startswith("[SAMPLING]")]) == 1
    seconds = json.loads((project.root / "logs/train/seconds.json").read_text())["seconds"]
    cost = [line for line in said if line.startswith("[COST]")]
    assert cost[0] == "[COST] Training: 6 sheets x 1 epochs = 6 images, in 2 steps of 4, at 128 px"
    assert f"the last training here took {seconds:.0f} s for 6 images at 128 px (logs/train/seconds.json)" in cost[1]


def test_other_classes_get_a_fresh_head_and_a_step_is_timed(project):
    """As before the very first training: released weights know other classes, and no seconds were ever measured."""
    code = (
        "from pathlib import Path; from stages.detector.model.runtime import start_ultralytics; start_ultralytics()\n"
        "from stages.detector.model.checkpoint import load_model, save_model; file = Path('models/parent.pt')\n"
        "model = load_model(file); model.names = {0: 'cat', 1: 'dog', 2: 'door'}; save_model(model, file, imgsz=128)"
    )
    project.run("python", "-c", code)
    shutil.rmtree(project.root / "logs")
    before = everything(project.root)
    done = project.yoloop("run", "--dry-run")
    assert everything(project.root) == before
    said = done.stdout
    assert (
        "models/parent.pt knows other classes, so a fresh head stands in: F1 and the verdict have no meaning." in said
    )
    assert "s forward and backward just now, without reading and augmenting it" in said
