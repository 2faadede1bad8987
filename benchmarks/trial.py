"""A folder in which single stages run on drawn sheets, without Git and DVC: for measurements that change one thing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from demo.demo_data import write_source
from demo.drawing.sets import draw_set
from stages.intake.dataset_import import write_start
from stages.intake.demo_values import demo_values
from stages.intake.import_source import ImportOptions, read_sheets
from stages.project.yaml_edits import edited

REPO = Path(__file__).parents[1]


class Trial:
    """One iteration's folder: data, models, params."""

    def __init__(self, root: Path, *, threads: int) -> None:
        self.root, self.threads = root, threads

    def set(self, values: Mapping[str, Any]) -> None:
        """Change dotted keys of params.yaml."""
        file = self.root / "params.yaml"
        file.write_text(edited(file.read_text(encoding="utf-8"), values), encoding="utf-8")

    def stage(self, name: str) -> None:
        """Run a stage; raise `CalledProcessError` with what it said when it fails."""
        env = {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": str(self.threads)}
        done = subprocess.run(
            [sys.executable, "-m", f"stages.{name}"],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")

    def metrics(self, stage: str) -> dict[str, Any]:
        """Return the metrics of a stage."""
        values: dict[str, Any] = json.loads((self.root / f"metrics/{stage}.json").read_text(encoding="utf-8"))
        return values

    def param(self, path: str) -> Any:
        """Return the value of a dotted key of params.yaml."""
        value: Any = yaml.safe_load((self.root / "params.yaml").read_text(encoding="utf-8"))
        for key in path.split("."):
            value = value[key]
        return value


def build(
    root: Path, counts: Mapping[str, int], values: Mapping[str, Any], *, baseline: Path, seed: int, threads: int
) -> Trial:
    """Return a folder at the start of iteration 0, with the demo's params but for `values`."""
    source = write_source(root / "source", draw_set(seed, counts))
    for name in ("params.yaml", "data/prompts.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPO / name, root / name)
    options = ImportOptions(baseline=str(baseline), target=str(REPO / "starter/yoloe-26n.pt"))
    for name in ("models", "metrics"):
        (root / name).mkdir()
    write_start(root / "data", root / "models", read_sheets(source, options), options)
    for name in ("history.csv", "history_sheets.json"):
        (root / "data" / name).replace(root / "metrics" / name)
    trial = Trial(root, threads=threads)
    trial.set({**demo_values(REPO), **values})
    return trial
