"""A whole simulation of toy sheets with the real stages: killed, resumed, and summed up."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from stages.simulation.replay_arms import REPLAYS
from stages.simulation.replay_graph import cells_of
from stages.simulation.replay_settings import read_settings
from tests.fake_project import REPO, person_params
from tests.forks import REAL
from tests.real_project import PARAMS, Project, set_params
from tests.toy import write_yolo_folder

pytestmark = pytest.mark.slow
SIZES = {"--start": 5, "--val": 4, "--test": 4, "--pool": 7, "--budget": 2, "--seeds": 1, "--iterations": 2}
FOLDER = "replay"


@pytest.fixture
def project(toy_weights: Path, tmp_path: Path) -> Project:
    """A folder from which `yoloop simulate` is typed: only what it reads of a project."""
    root = tmp_path / "project"
    shutil.copytree(REPO / "stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "data").mkdir()
    for name in ("dvc.yaml", "data/prompts.yaml"):
        shutil.copyfile(REPO / name, root / name)
    (root / "params.yaml").write_text(person_params())
    set_params(root, {"train": {**PARAMS["train"], "epochs": 1}, "validate": {"confidence": 0.3}})
    write_yolo_folder(tmp_path / "sheets", {"train": 12, "val": 10}, seed=5, hard=True)
    shutil.copyfile(toy_weights, root / "toy.pt")
    return Project(root, tmp_path / "home")


def typed(*more: str) -> list[str]:
    sizes = [word for name, number in SIZES.items() for word in (name, str(number))]
    weights = ["--baseline", "toy.pt", "--target", "yoloe-26n.yaml"]
    return ["simulate", "../sheets", "--into", FOLDER, "--strategies", "random", *sizes, *weights, *more]


def start_and_kill(project: Project, lock: Path) -> None:
    """Kill the command, and nothing else, while iteration 0 runs."""
    command = [sys.executable, "-m", "stages.loop", *typed("--workers", "2")]
    env = {**project.env, REAL: "1"}
    process = subprocess.Popen(command, cwd=project.root, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < deadline:
        if lock.is_file() and "deal@0" in lock.read_text():
            break
        time.sleep(0.1)
    assert process.poll() is None, "it ended before it was killed"
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_simulation_is_killed_and_goes_on(project):
    folder = project.root / FOLDER
    start_and_kill(project, folder / "dvc.lock")
    first = (folder / "source/kin.json").stat().st_mtime_ns
    done = project.yoloop(*typed("--workers", "2"))
    assert "2 of 10 cells are done already." in done.stdout
    assert "all cells are done" in done.stdout
    assert (folder / "source/kin.json").stat().st_mtime_ns == first
    inside = Project(folder, project.root.parent / "home")
    assert json.loads(inside.dvc("status", "--json")) == {}
    assert inside.git("status", "--porcelain") == ""
    holds_what_was_replayed(folder)
    says_what_it_came_to(folder)
    assert other_settings_are_refused(project)
    assert "`earned_disputed` over" in said_by("disagreement", folder)
    assert "evidence: 0 stops in 3 iterations" in said_by("stopped_replays", folder)


def said_by(program: str, folder: Path) -> str:
    """Return what a program of benchmarks says of the replay."""
    command = [sys.executable, "-m", f"benchmarks.{program}", str(folder)]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout


def says_what_packets_would_yield(found: dict[str, dict]) -> None:
    """Of the pool that was left after the reviews of chance, with what these said."""
    for packet in (1, 2):
        cell = found.pop(f"yields-{packet - 1}")
        assert cell["packet"] == packet
        rows = {row["strategy"]: row for row in cell["yields"]}
        assert rows["best"]["per_minute"] >= max(row["per_minute"] for row in rows.values())


def holds_what_was_replayed(folder: Path) -> None:
    """Packets, ledgers and datasets are those of the loop, and no arm sees a label before its review."""
    results = [made for cell in cells_of(read_settings(folder)) for made in cell.makes if made.endswith(".json")]
    found = {Path(file).stem: json.loads((folder / file).read_text()) for file in results}
    says_what_packets_would_yield(found)
    assert sorted(found) == sorted(["start-0", "full-1", *(f"{arm}-{n}" for arm in REPLAYS for n in (1, 2))])
    for arm in REPLAYS:
        one, two = found[f"{arm}-1"], found[f"{arm}-2"]
        assert one["packet"]["picked"]["sheets"] == 2
        assert one["packet"]["random"]["sheets"] == 1  # on top of the budget
        assert one["train_sheets"] == 5 + 3 == two["train_sheets"] - 3
        assert 0 < one["minutes"] < two["minutes"]
        assert one["packet"]["expected_errors"] is not None
        pool = folder / f"cells/seed-0/{arm}-2/data/dataset/pool"
        assert len(list((pool / "images").iterdir())) == 1
        assert not list((pool / "labels").iterdir())
    assert found["full-1"]["train_sheets"] == 12
    assert found["start-0"]["minutes"] == 0
    assert found["random-a-1"]["weights_sha256"] != found["random-b-1"]["weights_sha256"]
    for one in found.values():
        assert one["test"]["tp"] + one["test"]["fn"] == found["start-0"]["test"]["tp"] + found["start-0"]["test"]["fn"]
        assert one["test_at_own"]["confidence"] == 0.3


def says_what_it_came_to(folder: Path) -> None:
    metrics = json.loads((folder / "metrics/simulation.json").read_text())
    assert list(metrics["arms"]) == list(REPLAYS)
    assert metrics["promises"]["all"]["packets"] == 4
    curves = pd.read_csv(folder / "plots/curves.csv")
    assert len(curves) == 2 * 3 + 1
    assert (folder / "plots/curves.png").stat().st_size > 10_000
    table = (folder / "table.md").read_text()
    assert "# What picking is worth" in table
    assert "| packet 2, per minute |" in table


def other_settings_are_refused(project: Project) -> bool:
    done = project.yoloop(*typed("--strategies", "crowd"), code=2)
    return "another `strategies`" in done.stderr
