"""Builds a small project with real Git and DVC, the real graph, and stages that take milliseconds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import yaml

from stages.convergence.outcome_files import outcomes_text
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.review.ledger.ledger_files import no_review_text

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
LABELS = {  # split -> sheet -> rows of its label file; None: unlabelled
    "train": {"t1": "0 0.5 0.5 0.2 0.2\n", "t2": "1 0.5 0.5 0.2 0.2\n2 0.3 0.3 0.1 0.1\n", "t3": ""},
    "val": {"v1": "0 0.5 0.5 0.2 0.2\n", "v2": "2 0.5 0.5 0.2 0.2\n"},
    "test": {"x1": "1 0.5 0.5 0.2 0.2\n"},
    "pool": {"p1": None, "p2": None, "p3": None, "p4": "2 0.25 0.25 0.5 0.5\n"},
}
ORACLE = {"p1": "0 0.5 0.5 0.25 0.25\n1 0.2 0.2 0.1 0.1\n", "p2": "", "p3": "1 0.4 0.4 0.2 0.2\n"}


def environment(home: Path) -> dict[str, str]:
    """Return the variables under which Git and DVC ask nobody and read no settings of this machine."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Tester",
        "GIT_AUTHOR_EMAIL": "tester@example.org",
        "GIT_COMMITTER_NAME": "Tester",
        "GIT_COMMITTER_EMAIL": "tester@example.org",
        "DVC_NO_ANALYTICS": "1",
        "DVC_STUDIO_OFFLINE": "1",
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "YOLO_CONFIG_DIR": str(home / "yolo"),
        "YOLO_OFFLINE": "true",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }


def sh(root: Path, *command: str) -> str:
    """Run a command in `root`, fail on an error, return what it printed."""
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def dvc(root: Path, *args: str) -> str:
    """Run DVC in `root`."""
    return sh(root, sys.executable, "-m", "dvc", *args)


def init(root: Path) -> None:
    """Make `root` a Git and DVC repository with the project's ignore files."""
    root.mkdir(parents=True)
    sh(root, "git", "init", "-q", "-b", "main")
    dvc(root, "init", "-q")
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(REPO / name, root / name)


def person_params() -> str:
    """Return params.yaml as a person finds it."""
    return (REPO / "params.yaml").read_text()


def build(root: Path) -> None:
    """Build the project at its first iteration, imported but not yet run, committed and tagged dataset-v0."""
    init(root)
    (root / "params.yaml").write_text(person_params())
    (root / "data").mkdir()
    shutil.copy(REPO / "data/prompts.yaml", root / "data/prompts.yaml")
    shutil.copy(HERE / "fake_stages.py", root / "fake_stages.py")
    (root / "dvc.yaml").write_text(_fake_graph())
    for split, sheets in LABELS.items():
        _write_split(root / "data/dataset" / split, sheets)
    (root / "data/dataset/data.yaml").write_text("names: [detail, elevation, title]\n")
    write_files(root / "data/oracle/labels", {f"{stem}.txt": text for stem, text in ORACLE.items()})
    write_files(root / "models", {"parent.pt": "baseline", "target.pt": "target"})
    carried = {"history.csv": history_header() + "\n", "history_sheets.json": '{"iterations":[]}\n'}
    carried |= {"review.json": no_review_text(), "parent_outcomes.json": outcomes_text(None)}
    write_files(root / "metrics", carried)
    dvc(root, "add", "-q", "data/dataset", "models/parent.pt", "models/target.pt", "data/oracle")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-q", "-m", "import")
    sh(root, "git", "tag", "dataset-v0")


def history_header() -> str:
    names = ("detail", "elevation", "title")
    columns = "iteration,f1,f1_low,f1_high,precision,recall,map50,map50_95,tp,fp,fn,confidence,train_f1,"
    columns += "train_images,train_boxes,pool_images"
    per_class = [f"{what}[{name}]" for what in ("f1", "fn") for name in names]
    return ",".join(
        [columns, *per_class, "ruler", "ruler_statement", "verdict", "rule", "despite_stop", "accepted_regression"]
    )


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def picture(stem: str) -> np.ndarray:
    """Return the sheet called `stem`, (64, 64): twelve bars of its own, so that no two sheets look alike."""
    rng = np.random.default_rng(list(stem.encode()))
    pixels = np.full((64, 64), 250, np.uint8)
    for left, top in rng.integers(0, 56, (12, 2)):
        pixels[top : top + int(rng.integers(2, 16)), left : left + int(rng.integers(2, 16))] = int(rng.integers(200))
    return pixels


def _write_split(folder: Path, sheets: dict[str, str | None]) -> None:
    (folder / "images").mkdir(parents=True)
    for stem in sheets:
        assert cv2.imwrite(str(folder / "images" / f"{stem}.jpg"), picture(stem))
    write_files(folder / "labels", {f"{stem}.txt": text for stem, text in sheets.items() if text is not None})
    write_manifest(
        [
            manifest_row(
                folder / "images" / f"{stem}.jpg",
                folder / "labels" / f"{stem}.txt",
                added_iteration=0,
                label_source="none" if text is None else "import",
            )
            for stem, text in sheets.items()
        ],
        folder / MANIFEST,
    )


def _fake_graph() -> str:
    """Return the project's own dvc.yaml with fast commands and without dependencies on code."""
    graph = yaml.safe_load((REPO / "dvc.yaml").read_text())
    graph.pop("plots", None)
    for name, stage in graph["stages"].items():
        stage["cmd"] = f"python fake_stages.py {name}"
        stage["deps"] = [dep for dep in stage["deps"] if not dep.startswith("stages/")]
    return yaml.safe_dump(graph, sort_keys=False)
