"""The program `python -m demo`: its help, and one clear line for every mistake."""

import subprocess
import sys

import pytest

from tests.fake_project import REPO


def demo(root, *args):
    return subprocess.run([sys.executable, "-m", "demo", *args], cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [[], ["run"], ["draw"], ["lock"]], ids=" ".join)
def test_help(command):
    done = demo(REPO, *command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize("command", ["run", "draw", "lock"])
def test_outside_a_project(clean_env, tmp_path, monkeypatch, command):
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    done = demo(tmp_path, command)
    assert done.returncode == 2
    assert done.stderr.startswith("error: params.yaml: expected the file in this folder")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["run", "--review", "nobody"], ["drwa"], ["draw", "--fast"]])
def test_wrong_words(command):
    done = demo(REPO, *command)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
