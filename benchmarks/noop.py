"""What `dvc repro` costs when there is nothing to do, beside a bare pipeline of as many stages over the same data.

`python benchmarks/noop.py`: alternating runs, the fastest of each counts; the aim is a ratio of at most 1.6. Both
projects are made in a temporary folder: sheets of noise; ours has its graph and code, and commands that only write what
the graph declares.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
SPLITS = {"train": 0.3, "val": 0.1, "test": 0.1, "pool": 0.5}
AIM = 1.6
FILL = """
import sys
from pathlib import Path
for name in sys.argv[1:]:
    path = Path(name)
    if path.suffix:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"f1": 1.0}' if path.suffix == ".json" else "x,y\\n0,1\\n")
    else:
        path.mkdir(parents=True, exist_ok=True)
        (path / "table.csv").write_text("x,y\\n0,1\\n")
"""


def dvc(folder: Path, *arguments: str) -> str:
    """Run DVC in `folder` and return what it says."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


def start(folder: Path, sheets: int, kilobytes: int) -> None:
    """Make a repository with a dataset of `sheets` files of noise, each with a label."""
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc(folder, "init", "-q")
    rng = np.random.default_rng(0)
    for split, share in SPLITS.items():
        for kind in ("images", "labels"):
            (folder / "data/dataset" / split / kind).mkdir(parents=True)
        for i in range(round(share * sheets)):
            (folder / f"data/dataset/{split}/images/{split}_{i}.png").write_bytes(rng.bytes(kilobytes * 1024))
            (folder / f"data/dataset/{split}/labels/{split}_{i}.txt").write_text(f"0 0.5 0.5 0.1 0.{i + 1}\n")
    (folder / "data/dataset/data.yaml").write_text("names: [detail, elevation, title]\n")
    (folder / "fill.py").write_text(FILL)


def finish(folder: Path, graph: dict) -> None:
    """Write the graph, track the inputs, and run everything once."""
    (folder / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    dvc(folder, "add", "-q", "data/dataset")
    dvc(folder, "repro", "-q")


def paths(entries: list) -> list[str]:
    """Return the paths of a list in dvc.yaml, whose entries are a path or a path with options."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def ours(folder: Path) -> None:
    """Make our pipeline: its graph, code and params as they are, with commands that take no time."""
    for name in ("stages", ".dvc/plots"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "data/prompts.yaml"):
        shutil.copy(ROOT / name, folder / name)
    carried = ("history.csv", "history_sheets.json", "parent_outcomes.json", "review.json")
    for name in (*(f"metrics/{one}" for one in carried), "models/parent.pt", "models/target.pt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    read = {path for stage in graph["stages"].values() for path in paths(stage.get("deps", []))}
    for stage in graph["stages"].values():
        written = [path for kind in ("outs", "metrics", "plots") for path in paths(stage.get(kind, []))]
        inside = sorted(one for one in read if any(one.startswith(f"{folder}/") for folder in written))
        stage["cmd"] = f"python fill.py {' '.join([*written, *inside])}"
    finish(folder, graph)


def bare(folder: Path) -> None:
    """Make as many stages as ours in a row over the same dataset, each with one out and nothing else."""
    names = [f"bare_{name}" for name in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]]
    stages = {
        name: {
            "cmd": f"python fill.py out/{name}",
            "deps": ["data/dataset", *(f"out/{before}" for before in names[:i][-1:])],
            "outs": [f"out/{name}"],
        }
        for i, name in enumerate(names)
    }
    finish(folder, {"stages": stages})


def seconds(folder: Path) -> float:
    """Return how long a `dvc repro` takes that has nothing to do."""
    begin = time.perf_counter()
    said = dvc(folder, "repro")
    taken = time.perf_counter() - begin
    assert "Running stage" not in said, said
    return taken


def main() -> None:
    """Build both pipelines, measure them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="alternating runs of each; the fastest counts")
    parser.add_argument("--sheets", type=int, default=200)
    parser.add_argument("--kilobytes", type=int, default=200, help="of one sheet")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"bare": Path(scratch) / "bare", "ours": Path(scratch) / "ours"}
        for folder, build in zip(folders.values(), (bare, ours), strict=True):
            start(folder, args.sheets, args.kilobytes)
            build(folder)
        fastest = dict.fromkeys(folders, float("inf"))
        for _ in range(args.runs):
            for name, folder in folders.items():
                fastest[name] = min(fastest[name], seconds(folder))
    print(f"{'no-op dvc repro':<34}{'seconds':>9}{'ratio':>8}   (fastest of {args.runs}; aim: at most {AIM})")
    for name, value in fastest.items():
        print(f"{name:<34}{value:>9.3f}{value / fastest['bare']:>8.2f}")


if __name__ == "__main__":
    main()
