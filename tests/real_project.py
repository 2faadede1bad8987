"""Builds a project with the real stages, real Git, real DVC and toy sheets, as a person would have it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.fake_project import REPO, environment, person_params
from tests.toy import write_yolo_folder

COPIED = (
    "stages",
    "dvc.yaml",
    "data/prompts.yaml",
    ".gitignore",
    ".dvcignore",
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvc/plots",
)
PARAMS: dict[str, dict[str, Any]] = {
    "train": {
        "epochs_baseline": 1,
        "epochs": 8,
        "base_lr": 0.001,
        "warmup_epochs": 0.5,
        "warmup_bias_lr": 0.0,
        "encoder": "wordllama",
        "imgsz": 128,
        "batch": 4,
        "device": "cpu",
        "workers": 0,
    },
    "predict": {"imgsz": 128, "device": "cpu"},
    "analyze": {"tiny_area": 350, "small_area": 500, "medium_area": 800, "border": 20},
    "converge": {"target_f1": 1.0, "max_iterations": 3, "overfit_gap": 1.0},
    "sample": {"budget": 4},
}
AUGMENT = {"mosaic": 0.0, "close_mosaic": 0, "scale": 0.2, "hsv_h": 0.0, "hsv_s": 0.0, "hsv_v": 0.0}
PROMPTS = {"detail": "open dark circle", "elevation": "solid blue triangle", "title": "flat red bar"}


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment without a trace of pytest: Ultralytics behaves otherwise under it."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTEST", "PYTHON", "COV", "DVC", "YOLO"))
    }
    home.mkdir(parents=True, exist_ok=True)
    ours = {**environment(home), "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(home / ".cache")}
    ours.pop("YOLO_CONFIG_DIR")
    ours.pop("YOLO_OFFLINE")
    return {**kept, **ours}


class Project:
    """A project folder, and the commands that a person would type in it."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.env = root, clean_environment(home)

    def run(self, *command: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; fail unless it ends with `code` (None: any)."""
        done = subprocess.run(
            command, cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert code is None or done.returncode == code, (
            f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
        return done

    def git(self, *args: str) -> str:
        """Run Git and return what it printed."""
        return self.run("git", *args).stdout

    def dvc(self, *args: str, code: int | None = 0) -> str:
        """Run DVC and return what it printed."""
        return self.run(sys.executable, "-m", "dvc", *args, code=code).stdout

    def yoloop(self, *args: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run yoloop from this project's own modules."""
        return self.run(sys.executable, "-m", "stages.loop", *args, code=code)

    def stage(self, name: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run one stage by hand."""
        return self.run(sys.executable, "-m", f"stages.{name}", code=code)


def fresh(root: Path) -> Project:
    """Return a project with toy values in which nothing is imported yet."""
    root.mkdir(parents=True)
    project = Project(root, root.parent / "home")
    for name in COPIED:
        source, place = REPO / name, root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, place)
    (root / "params.yaml").write_text(person_params())
    set_params(root)
    project.git("init", "-q", "-b", "main")
    project.git("add", ".")
    project.git("commit", "-q", "-m", "Start a project")
    return project


def build(root: Path, weights: Path, *, counts: dict[str, int] | None = None) -> Project:
    """Return a project of toy sheets at the start of iteration 0; the pool's labels are held back for the oracle."""
    project = fresh(root)
    counts = counts or {"train": 8, "val": 10, "test": 2, "pool": 14}
    source = write_yolo_folder(root.parent / "source", counts, seed=5, hard=True)
    options = ["--oracle", "--keep-params", "--baseline", str(weights), "--target", "yoloe-26n.yaml"]
    project.yoloop("data", "import", str(source), *options)
    return project


def set_params(root: Path, changes: dict[str, dict[str, Any]] | None = None) -> None:
    """Write the toy values into params.yaml and the toy prompts beside it, as an editor would."""
    yaml = YAML()
    values = yaml.load(root / "params.yaml")
    for section, entries in {**PARAMS, **(changes or {})}.items():
        values[section].update(entries)
    values["train"]["augment"].update(AUGMENT)
    yaml.dump(values, root / "params.yaml")
    prompts = yaml.load(root / "data/prompts.yaml")
    prompts["prompts"].update(PROMPTS)
    yaml.dump(prompts, root / "data/prompts.yaml")
