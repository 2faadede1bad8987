"""`yoloop status` and `yoloop prompts history` on a project with real Git and DVC."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from stages.base.errors import UserError
from stages.iteration.finish import finish
from stages.iteration.status import status_lines, status_values
from stages.report.prompt_history import changes, history_lines
from tests.fake_project import REPO, dvc, sh

WAIT = "wait until it is done, or stop it there with Ctrl+C: finished stages are kept"


def last_two(root):
    """Return the state and the next step."""
    lines = status_lines(root)
    assert len(lines) == 5
    return [line[9:] for line in lines[3:]]


def set_param(root, section, key, value):
    params = yaml.safe_load((root / "params.yaml").read_text())
    params[section][key] = value
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.mark.slow
def test_a_clone_that_holds_the_demo_is_told_how_to_begin(project):
    root = project()
    (root / "data/demo.md").write_text("demo")
    sh(root, "git", "add", "data/demo.md")
    sh(root, "git", "commit", "-q", "-m", "hold the demo")
    for place in (root / "data/dataset", root / "data/oracle", *(root / "models").glob("*.pt"), root / ".dvc/cache"):
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert last_two(root)[1] == "yoloop data import SOURCE (your sheets), or make demo (drawn ones)"
    with pytest.raises(UserError, match=r"found .* not in cache\. Next: yoloop data import SOURCE"):
        finish(root)


@pytest.mark.slow
def test_a_project_on_its_way_through_an_iteration(project):
    root = project()
    assert status_lines(root) == [
        "project  project: iteration 0, branch main",
        "dataset  dataset-v0: train 3, val 2, test 1, pool 4 sheets; 3 boxes in train",
        "last     no iteration is finished",
        "state    iteration 0: run, but not finished",
        "next     yoloop finish",
    ]

    params = (root / "params.yaml").read_bytes()
    set_param(root, "converge", "target_f1", 0.5)
    assert last_two(root) == ["iteration 0: to be run again: converge", "yoloop run"]
    (root / "params.yaml").write_bytes(params)

    finish(root)
    done = [
        "iteration 0: finished",
        "review the packet (yoloop review open, or export and import), then: yoloop advance",
    ]
    assert status_lines(root)[2:] == [
        "last     iteration-0: F1 0.800 (0.74 to 0.86), P 0.900, R 0.800; "
        "verdict: go on (1 of 10 iterations are done.)",
        f"state    {done[0]}",
        f"next     {done[1]}",
    ]
    prompts = (root / "data/prompts.yaml").read_text()
    (root / "data/prompts.yaml").write_text(prompts.replace("round callout", "small round callout"))
    assert last_two(root) == done  # prompts that are edited in the review are for the next iteration

    set_param(root, "train", "seed", 7)
    state, step = last_two(root)
    assert state.startswith(
        "iteration 0: finished; params.yaml was edited since iteration 0 ran: train.seed 0 -> 7. That"
    )
    assert step == done[1]
    sh(root, "git", "checkout", "-q", ".")

    sh(root, "git", "switch", "-q", "--detach", "iteration-0")
    assert last_two(root) == ["iteration 0: a look back: no branch is checked out", "git switch main && dvc checkout"]
    sh(root, "git", "switch", "-q", "main")


KEYS = ["project", "iteration", "branch", "dataset", "last", "state", "state_text", "next"]


@pytest.mark.slow
def test_a_program_reads_the_same(project):
    root = project()
    values = status_values(root)
    assert list(values) == KEYS
    assert (values["iteration"], values["branch"], values["state"]) == (0, "main", "complete")
    assert values["last"] is None
    assert values["next"] == "yoloop finish"
    finish(root)
    values = status_values(root)
    sheets = {"train": 3, "val": 2, "test": 1, "pool": 4}
    assert values["dataset"] == {"tag": "dataset-v0", "sheets": sheets, "test_openings": 0}
    assert values["last"] == {
        "iteration": 0, "tag": "iteration-0", "f1": 0.8, "f1_low": 0.74, "f1_high": 0.86, "precision": 0.9,
        "recall": 0.8, "verdict": "go on", "rule": None, "reason": "1 of 10 iterations are done.", "lost": False,
    }  # fmt: skip
    assert (values["state"], values["state_text"]) == ("finished", "finished")
    done = sh(root, sys.executable, "-m", "stages.loop", "status", "--json")
    assert json.loads(done) == values


@pytest.mark.slow
def test_it_answers_while_another_command_is_at_work(project):
    """As while `yoloop run` trains: its lock is held."""
    root = project()
    code = (
        "from pathlib import Path; from stages.project.project_lock import exclusive;\n"
        "with exclusive(Path()):\n print('held', flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, text=True, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        before = {file: file.stat().st_mtime_ns for file in root.rglob("*")}
        said = sh(root, sys.executable, "-m", "stages.loop", "status").splitlines()
        assert {file: file.stat().st_mtime_ns for file in root.rglob("*")} == before  # it only reads
        assert status_values(root)["state"] == "at_work"
        other.communicate("\n")
    assert said[0] == "project  project: iteration 0, branch main"
    assert said[3].startswith(f"state    iteration 0: at work: process {other.pid} on ")
    assert said[4] == f"next     {WAIT}"
    assert last_two(root)[0] == "iteration 0: run, but not finished"


@pytest.mark.slow
def test_who_only_reads_needs_no_name(project, monkeypatch):
    root = project()
    finish(root)
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)
    for command in (["status"], ["log"], ["report"], ["prompts", "history"]):
        sh(root, sys.executable, "-m", "stages.loop", *command)
    with pytest.raises(AssertionError, match="expected your name and email for commits"):
        sh(root, sys.executable, "-m", "stages.loop", "finish")


@pytest.mark.slow
def test_dvc_alone_is_at_work(project):
    """As while somebody's `dvc repro` trains: DVC's own lock names a process that lives, here this one."""
    root = project()
    lock = {"write": {str(root / "models/best.pt"): {"pid": os.getpid(), "cmd": "dvc repro"}}, "read": {}}
    (root / ".dvc/tmp/rwlock").write_text(json.dumps(lock))
    state, step = last_two(root)
    assert state.startswith("iteration 0: at work: dvc status: ")
    assert "is busy, it is being blocked by" in state
    assert step == WAIT


@pytest.mark.slow
def test_missing_and_changed_files(project):
    root = project()
    shutil.rmtree(root / "data/dataset")
    assert status_lines(root)[1:] == [
        "dataset  dataset-v0, not in the workspace",
        "last     no iteration is finished",
        "state    iteration 0: inputs are not in the workspace: data/dataset",
        "next     dvc checkout data/dataset",
    ]
    dvc(root, "checkout", "-q")
    (root / "models/parent.pt").unlink()
    (root / "models/parent.pt").write_text("other")
    state, step = last_two(root)
    assert state == "iteration 0: inputs were changed by hand: models/parent.pt"
    assert step.endswith("dvc checkout --force models/parent.pt")
    dvc(root, "checkout", "-q", "--force")
    (root / "models/best.pt").unlink()
    assert last_two(root)[0] == "iteration 0: run, but its outputs are not in the workspace"
    shutil.rmtree(root / ".dvc/cache")
    step = last_two(root)[1]
    assert step.startswith("dvc commit data/dataset.dvc models/parent.pt.dvc models/target.pt.dvc (puts what lies here")
    dvc(root, *step.partition(" (")[0].split()[1:])
    assert last_two(root)[0] == "iteration 0: run, but its outputs are not in the workspace"
    shutil.rmtree(root / ".dvc/cache")
    (root / "models/parent.pt").unlink()
    assert last_two(root)[1] == "dvc pull"


def test_before_the_import(project):
    root = project()
    sh(root, "git", "rm", "-q", "--cached", "data/dataset.dvc")
    sh(root, "git", "commit", "-qm", "without")
    assert last_two(root) == ["iteration 0: no dataset yet", "yoloop data import SOURCE"]


def commit_prompts(root, iteration, prompts, f1):
    """Commit prompts and metrics as iteration `iteration` and tag it."""
    (root / "data/prompts.yaml").write_text(yaml.safe_dump({"prompts": prompts}))
    (root / "metrics/validate.json").write_text(json.dumps({"f1": f1}))
    sh(root, "git", "add", "-f", "data/prompts.yaml", "metrics/validate.json")
    sh(root, "git", "commit", "-q", "--allow-empty", "-m", "x")
    sh(root, "git", "tag", f"iteration-{iteration}")


def test_the_history_of_prompts(project):
    root = project()
    with pytest.raises(UserError, match="a finished iteration"):
        history_lines(root)
    commit_prompts(root, 0, {"a": "round", "b": "square"}, 0.5)
    commit_prompts(root, 1, {"a": "round", "b": "square"}, None)
    commit_prompts(root, 2, {"a": "very round", "b": "square"}, 0.75)
    assert [line.split(maxsplit=2) for line in history_lines(root)[1:]] == [
        ["0", "0.500", 'a: "round"; b: "square"'],
        ["1", "–", "as before"],
        ["2", "0.750", '* a: "round" -> "very round"'],
        ["a:", "by", "hand; F1 – -> –"],
    ]


def test_new_and_gone_prompts():
    assert changes({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == ['+ c: "3"', "- a"]


@pytest.mark.slow
def test_a_cache_that_was_deleted_is_filled_again_from_what_lies_here(project):
    root = project()
    shutil.rmtree(root / ".dvc/cache")
    state, step = last_two(root)
    assert state.startswith(
        "iteration 0: in the workspace, but no longer in DVC's cache: data/dataset, models/parent.pt, "
    )
    assert step.startswith("dvc commit (")
    with pytest.raises(
        UserError, match=r"not in cache.*Put what lies here back into it: dvc commit models/target.pt.dvc"
    ):
        finish(root)
    dvc(root, "commit")
    assert last_two(root) == ["iteration 0: run, but not finished", "yoloop finish"]


@pytest.mark.slow
def test_where_one_stands_while_something_runs_or_nobody_may_commit(project, monkeypatch):
    root = project()
    for name in ("NAME", "EMAIL"):
        monkeypatch.delenv(f"GIT_AUTHOR_{name}")
        monkeypatch.delenv(f"GIT_COMMITTER_{name}")
    sh(root, "git", "config", "user.useConfigOnly", "true")
    assert last_two(root)[1] == "yoloop finish"
    with pytest.raises(UserError, match="expected your name and email"):
        finish(root)
    set_param(root, "train", "seed", 7)
    program = root / "fake_stages.py"
    program.write_text(program.read_text().replace("def train() -> None:", "def train() -> None:\n    wait()"))
    wait = 'def wait():\n    import time\n    open("begun", "w")\n    time.sleep(60)\n\n\n'
    program.write_text(wait + program.read_text())
    with subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"], cwd=root, start_new_session=True, stdout=subprocess.DEVNULL
    ) as process:
        until((root / "begun").exists)
        state, step = last_two(root)
        os.killpg(process.pid, signal.SIGKILL)
    assert state.startswith("iteration 0: at work: dvc status: ")
    assert "(PID " in state
    assert "If there are no processes with such PIDs, you can manually remove" in state
    assert step.startswith("wait until it is done")


@pytest.mark.slow
def test_who_holds_the_project_is_named(project):
    root = project()
    code = "import time; from pathlib import Path; from stages.project.project_lock import exclusive\n"
    code += "with exclusive(Path()): open('begun', 'w'); time.sleep(60)"
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, env=env) as process:
        until((root / "begun").exists)
        state, step = last_two(root)
        process.kill()
    assert state.startswith("iteration 0: at work: process ")
    assert step.startswith("wait until it is done")


def until(holds):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert"])
def test_what_git_was_left_half_way_in_is_named(project, what):
    root = project()
    text = (root / "params.yaml").read_text()
    sh(root, "git", "switch", "-q", "-c", "side")
    for line, message in (("# one\n", "one"), ("# two\n", "two")):
        (root / "params.yaml").write_text(text + line)
        sh(root, "git", "commit", "-qam", message)
    sh(root, "git", "switch", "-q", "main")
    (root / "params.yaml").write_text(text + "# three\n")
    sh(root, "git", "commit", "-qam", "three")
    args = {"merge": ["side"], "rebase": ["side"], "cherry-pick": ["side"], "revert": ["--no-edit", "side"]}[what]
    assert subprocess.run(["git", what, *args], cwd=root, capture_output=True, check=False).returncode
    line = (
        f"expected no {what} half done, found one .conflicts in params.yaml.*git {what} --continue.*git {what} --abort"
    )
    for command in (status_lines, finish):
        with pytest.raises(UserError, match=line):
            command(root)
    sh(root, "git", what, "--abort")
    assert last_two(root)[1] == "yoloop finish"
