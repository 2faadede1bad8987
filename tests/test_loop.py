"""The app `yoloop`: its help, its speed, and one clear line for every mistake."""

import shutil
import subprocess
import sys

import pytest

from tests.fake_project import REPO, sh

COMMANDS = [
    [],
    ["data"],
    ["data", "check"],
    ["data", "import"],
    ["status"],
    ["run"],
    ["finish"],
    ["advance"],
    ["report"],
    ["plots"],
    ["log"],
    ["prompts"],
    ["prompts", "history"],
    ["review"],
    ["review", "drop-auto"],
    ["review", "export"],
    ["review", "import"],
    ["review", "open"],
    ["review", "status"],
]


def yoloop(root, *args, module="stages.loop"):
    return subprocess.run(
        [sys.executable, "-m", module, *args],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def elsewhere(clean_env, monkeypatch):
    """Let our code be found from any folder, as an installed `yoloop` is."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(elsewhere, tmp_path, command):
    done = yoloop(tmp_path, *command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {' '.join(['yoloop', *command])} ")


def test_the_app_starts_without_heavy_modules(elsewhere, tmp_path):
    heavy = {"pandas", "numpy", "torch", "ultralytics", "cv2", "matplotlib", "dvc", "yaml", "pydantic"}
    code = f"import sys, stages.loop; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def one_line(done, says):
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command", [["status"], ["run"], ["finish"], ["advance"], ["prompts", "history"], ["data", "import", "x"]]
)
def test_outside_a_project(elsewhere, tmp_path, command):
    one_line(yoloop(tmp_path, *command), "params.yaml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "command", "says"),
    [
        (lambda root: shutil.rmtree(root / ".git"), ["status"], "git init"),
        (lambda root: shutil.rmtree(root / ".dvc"), ["status"], "dvc init"),
        (lambda root: (root / "params.yaml").write_text("iteration: [\n"), ["status"], "params.yaml:"),
        (lambda root: (root / "params.yaml").write_text("speed: 1\n"), ["run"], "'speed'"),
        (lambda root: None, ["data", "import", "nowhere"], "dataset-v0"),
        (lambda root: None, ["prompts", "history"], "yoloop run"),
        (lambda root: None, ["advance"], "yoloop finish"),
        (lambda root: None, ["report", "7"], "expected an iteration that has run (none yet), found 7"),
        (lambda root: (root / "dvc.lock").unlink(), ["report"], "dvc repro"),
        (lambda root: None, ["plots", "iteration-7"], "'iteration-7'"),
        (lambda root: sh(root, "rm", "-r", "plots", "dvc.lock"), ["plots"], "yoloop run"),
        (lambda root: (root / "dvc.lock").unlink(), ["finish"], "dvc repro"),
    ],
)
def test_mistakes(elsewhere, project, spoil, command, says):
    root = project()
    spoil(root)
    one_line(yoloop(root, *command), says)


@pytest.mark.parametrize("command", [["run", "--review", "nobody"], ["statsu"], ["data", "import"], ["run", "--fast"]])
def test_wrong_words(elsewhere, project, command):
    done = yoloop(project(), *command)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_status_is_five_lines(elsewhere, project):
    done = yoloop(project(), "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 5


@pytest.mark.parametrize("safe", ["", "1"])
def test_a_project_with_code_of_its_own_is_driven_by_that(elsewhere, project, monkeypatch, safe):
    """A console script starts with its own code; the stages that DVC starts would be the project's."""
    monkeypatch.setenv("PYTHONSAFEPATH", safe)
    root = project()
    (root / "stages").mkdir()
    (root / "stages/__init__.py").write_text("")
    (root / "stages/loop.py").write_text("import sys; print('the code of this project', sys.argv[1:]); sys.exit(5)\n")
    code = f"import sys; sys.path.insert(0, {str(REPO)!r}); from stages.loop import main; main()"
    script = [sys.executable, "-P", "-c", code, "status"]
    done = subprocess.run(script, cwd=root, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (5, "the code of this project ['status']\n")


def test_an_interrupted_command_is_finished_first(elsewhere, project):
    root = project()
    (root / "data/.advance").mkdir()
    done = yoloop(root, "status")
    assert done.stdout.startswith("Cleared what an interrupted command had prepared")
    assert sh(root, "git", "status", "--porcelain", "data/.advance") == ""
    assert not (root / "data/.advance").exists()
