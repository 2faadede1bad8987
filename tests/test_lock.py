"""The committed state is the demo's iteration 0, run with the committed code: nothing of it is stale.

Without data: what `dvc.lock` says of every file that Git holds must be true. `make lock` runs iteration 0 again.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from stages.base.params import PARAMS
from stages.intake.demo_values import demo_values
from stages.project.yaml_edits import flat
from tests.fake_project import REPO

STALE = "dvc.lock is older than this: run `make lock` and commit dvc.lock, data, models, metrics and plots"


@cache
def load(name: str) -> dict:
    return yaml.safe_load((REPO / name).read_text())


def entries() -> list[tuple[str, str, str]]:
    """Return stage, path and md5 of everything that the stages read or write."""
    stages = load("dvc.lock")["stages"]
    found = [(name, entry) for name, stage in stages.items() for kind in ("deps", "outs") for entry in stage[kind]]
    return [(name, entry["path"], entry["md5"]) for name, entry in found]


def tracked() -> dict[str, str]:
    """Return path and md5 of what the .dvc files of the project track."""
    files = [*REPO.glob("data/*.dvc"), *REPO.glob("models/*.dvc")]
    outs = [(file.parent.name, yaml.safe_load(file.read_text())["outs"][0]) for file in files]
    return {f"{folder}/{out['path']}": out["md5"] for folder, out in outs}


def _is_room(path: str) -> bool:
    return path.startswith("stages/") and (REPO / path).is_dir()


@cache
def md5_of_room(folder: Path) -> str:
    """Return DVC's digest of a folder: of the JSON of its files, each with its digest, in their order."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    listed = [{"md5": md5(file), "relpath": file.relative_to(folder).as_posix()} for file in files]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_every_stage_was_run():
    assert set(load("dvc.lock")["stages"]) == set(load("dvc.yaml")["stages"])


@pytest.mark.parametrize("stage", sorted(load("dvc.yaml")["stages"]))
def test_code_and_results_are_those_of_the_lock(stage):
    inside = [(path, digest) for name, path, digest in entries() if name == stage and _in_git(path)]
    assert any(path.startswith("stages/") for path, _ in inside)
    assert [path for path, digest in inside if md5(REPO / path) != digest] == [], STALE
    rooms = [(path, digest) for name, path, digest in entries() if name == stage and _is_room(path)]
    assert rooms
    assert [path for path, digest in rooms if md5_of_room(REPO / path) != digest] == [], STALE


@pytest.mark.parametrize("stage", sorted(load("dvc.yaml")["stages"]))
def test_params_are_those_of_the_lock(stage):
    for file, wanted in load("dvc.lock")["stages"][stage]["params"].items():
        now = flat(load(file))
        if file == str(PARAMS):
            now |= demo_values(REPO)
        said = flat(wanted)
        of_stage = {key: now[key] for key in now if any(key == one or key.startswith(f"{one}.") for one in wanted)}
        assert said == of_stage, f"{file}; {STALE}"


def test_dependencies_are_those_of_the_lock():
    for name, stage in load("dvc.yaml")["stages"].items():
        assert sorted(stage["deps"]) == sorted(e["path"] for e in load("dvc.lock")["stages"][name]["deps"]), STALE


def test_one_stage_reads_what_another_wrote():
    """Weights and tables are in no clone, so that the hashes must at least agree with each other."""
    hashes: dict[str, set[str]] = {}
    for _, path, digest in entries():
        hashes.setdefault(path, set()).add(digest)
    assert {path for path, found in hashes.items() if len(found) > 1} == set()
    assert {path: hashes[path] for path in tracked() if path in hashes} == {
        path: {digest} for path, digest in tracked().items() if path in hashes
    }


def test_the_weights_are_the_starter_weights():
    for name, starter in (("models/parent.pt", "starter/yolo26n.pt"), ("models/target.pt", "starter/yoloe-26n.pt")):
        assert tracked()[name] == md5(REPO / starter), STALE


def _in_git(path: str) -> bool:
    """Say whether a path is a file of Git: code, small results, the history that was carried in."""
    return (REPO / path).is_file() and path.startswith(("stages/", "metrics/", "plots/", "params.yaml"))
