"""Each stage in a folder with nothing but its declared dependencies: it needs no more, and writes no more."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real_project import Project
from tests.refusal import contents

pytestmark = pytest.mark.slow
STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
NOT_DECLARED = {"logs", ".scratch"}  # clocks, logs and training in progress are no outs


def paths(entries: list[Any]) -> list[str]:
    """Return the paths of a list in dvc.yaml, whose entries are a path or a path with options."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def declared(root: Path, stage: str) -> tuple[list[str], list[str]]:
    """Return what dvc.yaml says that `stage` reads and writes."""
    entry = yaml.safe_load((root / "dvc.yaml").read_text())["stages"][stage]
    files = [name.partition(":")[0] for name in paths(entry["params"]) if name.endswith(".yaml")]
    reads = [*entry["deps"], "params.yaml", *files]
    return reads, [path for kind in ("outs", "metrics", "plots") for path in paths(entry.get(kind, []))]


def only(root: Path, folder: Path, names: list[str]) -> None:
    """Copy `names`, files and folders, from `root` to an empty folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, folder / name)


def below(file: str, folders: list[str]) -> bool:
    return any(file == folder or file.startswith(f"{folder}/") for folder in folders)


@pytest.fixture
def at_iteration_1(ran: Project, tmp_path: Path) -> Project:
    """The start of iteration 1, in a copy: the history and the detector of iteration 0 carried in."""
    root = Path(shutil.copytree(ran.root, tmp_path / "project", symlinks=True))
    shutil.copy(root / "plots/converge/history.csv", root / "metrics/history.csv")
    shutil.copy(root / "metrics/converge_sheets.json", root / "metrics/history_sheets.json")
    shutil.copy(root / "metrics/converge_outcomes.json", root / "metrics/parent_outcomes.json")
    shutil.copy(root / "models/best.pt", root / "models/parent.pt")
    params = (
        (root / "params.yaml").read_text().replace("iteration: 0", "iteration: 1").replace("epochs: 8", "epochs: 1")
    )
    (root / "params.yaml").write_text(params)
    return Project(root, ran.root.parent / "home")


def run_alone(project: Project, stage: str, folder: Path) -> dict[str, str]:
    """Run a stage on nothing but what it declares; return the digests of the new files, all of them declared."""
    reads, writes = declared(project.root, stage)
    only(project.root, folder, reads)
    before = contents(folder)
    alone = Project(folder, folder.parent / "empty-home")
    code = "import stages; print(*stages.__path__)"
    assert alone.run(sys.executable, "-c", code).stdout.split() == [str(folder / "stages")]  # not the installed one
    alone.stage(stage)
    after = contents(folder)
    new = {name: digest for name, digest in after.items() if name not in before}
    assert {name: after[name] for name in before} == before
    assert new
    assert [name for name in new if not below(name, writes)] == []
    tops = {path.name for path in folder.iterdir()} - {Path(name).parts[0] for name in after}
    assert tops <= NOT_DECLARED | {"__pycache__"}
    assert all(any(below(name, [path]) for name in new) for path in writes)
    return new


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_needs_and_writes_only_what_it_declares(ran, tmp_path, stage):
    """Iteration 0, and the same bytes as in the project."""
    new = run_alone(ran, stage, tmp_path / "alone")
    there = contents(ran.root)
    assert {name: there.get(name) for name in new} == new


def test_with_prompts_stages_need_and_write_only_what_they_declare(at_iteration_1, tmp_path):
    run_alone(at_iteration_1, "train", tmp_path / "train")
    shutil.copy(tmp_path / "train/models/best.pt", at_iteration_1.root / "models/best.pt")
    run_alone(at_iteration_1, "validate", tmp_path / "validate")
