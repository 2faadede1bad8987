"""What the stage `predict` reads, and the stage as a process of the environment that has Ray."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from ruamel.yaml import YAML

from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.dataset.sheets.split_folder import sheets_in
from tests.fake_project import REPO, person_params
from tests.real_project import clean_environment
from tests.tools.environments import python_of
from tests.toy import CLASSES, write_yolo_folder

TABLES = ("detections.parquet", "discarded.parquet", "features.npy", "sheets.parquet")


class PredictProject:
    """A folder in which `python -m stages.predict` runs; `counts` are the sheets of each split."""

    def __init__(self, root: Path, weights: Path, counts: dict[str, int]) -> None:
        self.root = root
        (root / "models").mkdir(parents=True)
        shutil.copyfile(weights, root / "models/best.pt")
        write_yolo_folder(root / "data/dataset", counts, seed=5, hard=True)
        for split in counts:
            self.list_again(split)
        (root / "data/dataset/data.yaml").write_text(f"names: {list(CLASSES)}\n")
        shutil.copyfile(REPO / "data/prompts.yaml", root / "data/prompts.yaml")
        (root / "params.yaml").write_text(person_params())
        self.env = {**clean_environment(root.parent / "home"), "PYTHONPATH": str(REPO)}

    def list_again(self, split: str) -> None:
        """Accept what lies in a split as it is."""
        folder = self.root / "data/dataset" / split
        rows = [manifest_row(*sheet, added_iteration=0, label_source="import") for sheet in sheets_in(folder)]
        write_manifest(rows, folder / MANIFEST)

    def narrow_some(self, split: str) -> None:
        """Make some sheets of a split narrower, so that batches end where a shape does."""
        rng = np.random.default_rng(0)
        for file in sorted((self.root / "data/dataset" / split / "images").glob("*.png")):
            if rng.random() < 0.4:
                cv2.imwrite(str(file), cv2.imread(str(file))[:, : int(rng.integers(64, 128))])
        self.list_again(split)

    def ask(self, **values: Any) -> None:
        """Write `values` into the section `predict`."""
        yaml = YAML()
        params = yaml.load(self.root / "params.yaml")
        params["predict"] |= {"imgsz": 128, "device": "cpu", **values}
        yaml.dump(params, self.root / "params.yaml")

    @contextmanager
    def begun(self) -> Iterator["subprocess.Popen[str]"]:
        """Start the stage; what is left of it when the block ends is killed."""
        command = [str(python_of("ray")), "-m", "stages.predict"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=self.root, env=self.env, **pipes)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def predict(self, code: int = 0) -> tuple[dict[str, bytes], str]:
        """Run the stage, which ends with `code`; return the tables by name, and what it said on stderr."""
        shutil.rmtree(self.root / "data/predict", ignore_errors=True)
        with self.begun() as process:
            _, said = process.communicate()
        assert process.returncode == code, said
        return self.tables(), said

    def tables(self) -> dict[str, bytes]:
        """Return the tables that are there, by name."""
        return {file.name: file.read_bytes() for file in sorted((self.root / "data/predict").glob("*"))}


def workers_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return the Ray workers below a process."""
    below = psutil.Process(process.pid).children(recursive=True)
    return [one for one in below if one.name().startswith("ray::RayWorker") or "ray::RayWorker" in _line(one)]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess, OSError):
        return ""


def waits_for(line: str, process: "subprocess.Popen[str]") -> None:
    """Read what a process says until a line begins with `line`."""
    assert process.stdout is not None
    for said in process.stdout:
        if said.startswith(line):
            return
    raise AssertionError(f"it never said {line!r}: {process.stderr.read() if process.stderr else ''}")
