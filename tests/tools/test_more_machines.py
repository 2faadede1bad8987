"""docs/more_machines.md, done: clones that share a remote of DVC and one of Git, each as on a machine of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import fake_project
from tests.tools.environments import python_of
from tests.tools.shared_storage import Storage, shared_storage

pytestmark = [pytest.mark.tools, pytest.mark.timeout(3000)]
PATIENCE = 1500.0  # seconds until four experiments of milliseconds are done: DVC takes four for each


class Machine:
    """A clone, with a home and a cache of its own."""

    def __init__(self, root: Path, storage: Storage) -> None:
        self.root = root
        home = root.parent / f"home of {root.name}"
        home.mkdir(exist_ok=True)
        ours = {**fake_project.environment(home), **storage.env, "PATH": _path(home / "bin")}
        self.env = {**os.environ, **ours}

    def run(self, *command: object) -> str:
        """Run a command; return what it said."""
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        done = subprocess.run([*map(str, command)], cwd=self.root, env=self.env, check=False, **pipes)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def dvc(self, *arguments: object) -> str:
        """Run DVC with its packages for remotes."""
        return self.run(python_of("storage"), "-m", "dvc", *arguments)

    def queue(self, name: str, values: str) -> None:
        """Queue one experiment for each of `values`, NAME-1 and so on."""
        self.dvc("exp", "run", "--queue", "-n", name, "-S", f"train.base_lr={values}")

    def work_off(self, *, jobs: int) -> None:
        """Do what is queued in this clone, and wait for its end.

        A worker has the pipes of the command that starts it, and may stay when all is done: one that reads a message
        of another that is half written no longer looks whether there is something to do.
        """
        start = [str(python_of("storage")), "-m", "dvc", "queue", "start", "-j", str(jobs)]
        nothing = subprocess.DEVNULL
        subprocess.run(start, cwd=self.root, env=self.env, stdin=nothing, stdout=nothing, stderr=nothing, check=True)
        until = time.monotonic() + PATIENCE
        while any(word in (said := self.dvc("queue", "status")) for word in ("Queued", "Running")):
            assert time.monotonic() < until, said
            time.sleep(2)
        assert "Failed" not in said, said
        self.dvc("queue", "stop")


def _path(folder: Path) -> str:
    """Return a PATH whose `python` runs the stages, and whose `dvc`, which workers start, has packages for remotes."""
    folder.mkdir(exist_ok=True)
    program = folder / "dvc"
    program.write_text(f'#!/bin/sh\nexec "{python_of("storage")}" -m dvc "$@"\n')
    program.chmod(0o755)
    return os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture(params=["folder", "s3", "ssh"])
def first(request, tmp_path, clean_env):
    """The machine on which iteration 0 has run, with a remote that has it all, and an origin for others to clone."""
    python_of("storage")
    with shared_storage(request.param, tmp_path / "storage") as storage:
        root = tmp_path / "first"
        fake_project.build(root)
        machine = Machine(root, storage)
        machine.dvc("remote", "add", "--default", "shared", storage.url)
        for name, value in storage.settings.items():
            machine.dvc("remote", "modify", "shared", name, value)
        machine.dvc("repro", "-q")
        machine.run("git", "add", ".dvc/config", "dvc.lock", "metrics", "plots")
        machine.run("git", "commit", "-q", "-m", "iteration 0")
        machine.dvc("push", "-q")
        machine.run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin")
        machine.run("git", "remote", "add", "origin", tmp_path / "origin")
        machine.run("git", "push", "-q", "--tags", "-u", "origin", "main")
        yield machine, storage


def cloned(first: Machine, storage: Storage, name: str) -> Machine:
    first.run("git", "clone", "-q", first.root.parent / "origin", first.root.parent / name)
    machine = Machine(first.root.parent / name, storage)
    machine.dvc("pull", "-q")
    return machine


def test_two_machines_share_a_remote_and_the_work(first):
    first, storage = first
    second = cloned(first, storage, "second")
    assert "Data and pipelines are up to date." in second.dvc("repro")
    assert second.run("git", "status", "--porcelain") == ""

    first.queue("left", "0.002,0.003")
    second.queue("right", "0.004,0.005")
    assert "left" not in second.dvc("queue", "status")  # a queue is the clone's own
    first.work_off(jobs=2)
    second.work_off(jobs=1)
    for machine in (first, second):
        machine.dvc("exp", "push", "origin")
    wanted = {"left-1", "left-2", "right-1", "right-2"}
    refs = first.run("git", "ls-remote", "origin", "refs/exps/*").split()
    assert {name.split("/")[-1] for name in refs if name.startswith("refs/exps/")} >= wanted
    assert all(name in first.dvc("exp", "list", "origin") for name in wanted)

    first.dvc("exp", "pull", "origin", "right-1", "right-2")
    shown = first.dvc("exp", "show", "--csv", "--hide-workspace")
    assert all(name in shown for name in wanted)
    first.dvc("exp", "apply", "right-2")
    assert "base_lr: 0.005" in (first.root / "params.yaml").read_text()
    assert (first.root / "models/best.pt").is_file()  # pulled with the experiment, from the shared remote
