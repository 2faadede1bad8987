"""A stage's command: what it read is what DVC keeps its results under, or it fails."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from stages.base.atomic import beside
from stages.base.command import exit_cleanly, settings_of, stage_command
from tests import fake_project
from tests.closed import closed, run_as_owner

GRAPH = """
stages:
  train:
    params:
      - iteration
      - train.epochs
      - data/prompts.yaml:
          - prompts
"""
PARAMS = "iteration: 0\ntrain: {epochs: 3, batch: 2}\n"
PROMPTS = "prompts: {title: a bar}\nnotes: {}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train"])
    (tmp_path / "data").mkdir()
    for name, text in (("dvc.yaml", GRAPH), ("params.yaml", PARAMS), ("data/prompts.yaml", PROMPTS)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_values_that_a_stage_depends_on(folder: Path) -> None:
    wanted = {
        ("params.yaml", "iteration"): 0,
        ("params.yaml", "train.epochs"): 3,
        ("data/prompts.yaml", "prompts"): {"title": "a bar"},
    }
    assert settings_of("train") == wanted
    (folder / "params.yaml").write_text("train: [")
    assert settings_of("train") == {place: wanted[place] if "data" in place[0] else None for place in wanted}
    assert settings_of("predict") == {}
    (folder / "dvc.yaml").unlink()
    assert settings_of("train") == {}


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("params.yaml", PARAMS.replace("epochs: 3", "epochs: 4"), "params.yaml: expected train.epochs as it was"),
        ("params.yaml", "iteration: [", "params.yaml: expected iteration as it was"),
        ("data/prompts.yaml", PROMPTS.replace("bar", "line"), "data/prompts.yaml: expected prompts as it was"),
        ("params.yaml", PARAMS.replace("batch: 2", "batch: 4"), None),  # of no concern to this stage
        ("params.yaml", f"# mine\n{PARAMS}", None),
        ("data/prompts.yaml", PROMPTS.replace("{}", "{title: seen on A1}"), None),
    ],
)
def test_a_value_that_is_edited_while_a_stage_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, says: str | None
) -> None:
    with pytest.raises(SystemExit) as ended:
        stage_command("train", lambda: (folder / file).write_text(text) and None)()
    said = capsys.readouterr().err
    assert ended.value.code == (2 if says else 0)
    assert said.startswith(f"error: {says}") if says else not said
    assert (folder / "logs/train/seconds.json").exists() == (says is None)


def test_a_file_that_is_edited_while_a_stage_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dvc.yaml").write_text("stages: {train: {deps: [data/train], outs: [models/best.pt]}}")
    (folder / "data/train").mkdir()
    label = folder / "data/train/a.txt"
    label.write_text("0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(SystemExit) as ended:
        stage_command("train", lambda: label.write_text("") and None)()
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)
    assert said.startswith("error: data/train/a.txt: expected it as it was when train began, found it changed while")
    with pytest.raises(SystemExit) as ended:
        stage_command("train", lambda: None)()
    assert ended.value.code == 0


@pytest.mark.slow
def test_what_a_stage_read_is_what_the_lock_says(clean_env: None, tmp_path: Path) -> None:
    """DVC hashes what a stage depends on when it has ended: without a word of ours, that would be the new bytes."""
    fake_project.init(tmp_path / "project")
    root = tmp_path / "project"
    run = "from pathlib import Path\nfrom stages.base.command import stage_command\ndef run():\n"
    run += "    read = Path('in.txt').read_text()\n    Path('in.txt').write_text('other') if read == 'one' else None\n"
    run += "    Path('out.txt').write_text(read)\nstage_command('copy', run)()\n"
    graph = "stages: {copy: {cmd: python run.py, deps: [in.txt], outs: [out.txt]}}"
    fake_project.write_files(root, {"in.txt": "one", "run.py": run, "dvc.yaml": graph})
    env = {**os.environ, "PYTHONPATH": str(fake_project.REPO)}
    command = [sys.executable, "-m", "dvc", "repro"]
    first = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert "error: in.txt: expected it as it was when copy began, found it changed while copy ran" in first.stderr
    assert not (root / "dvc.lock").exists()
    again = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert (again.returncode, (root / "out.txt").read_text()) == (0, "other"), again.stderr


def test_a_stage_begins_only_where_it_can_write(tmp_path: Path) -> None:
    for name in ("metrics", "plots"):
        (tmp_path / name).mkdir()
    graph = "stages: {train: {deps: [], outs: [metrics/a.json, plots/train/a.csv]}}"
    fake_project.write_files(tmp_path, {"dvc.yaml": graph})
    code = "from stages.base.command import stage_command\nstage_command('train', lambda: print('ran'))()"
    assert run_as_owner(tmp_path, "-c", code).stdout == "ran\n"
    with closed(tmp_path / "plots"):
        done = run_as_owner(tmp_path, "-c", code)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: plots: expected a folder that can be written into")


def test_a_file_half_written_is_named_by_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(beside(Path("metrics/x.json"))))

    with pytest.raises(SystemExit):
        exit_cleanly(write)
    assert capsys.readouterr().err.startswith("error: metrics: expected to be allowed to read and write it")


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "x.csv: expected room on the disk, found none (No space left on device). Free some"),
        (errno.EDQUOT, "x.csv: expected room on the disk, found none (Disk quota"),
        (errno.EROFS, "x.csv: expected to be allowed to read and write it, found that it is not (Read"),
        (errno.EACCES, "x.csv: expected to be allowed to read and write it, found that it is not (Perm"),
    ],
)
def test_a_disk_that_takes_nothing_is_one_line(capsys: pytest.CaptureFixture[str], number: int, says: str) -> None:
    def write() -> None:
        raise OSError(number, os.strerror(number), "x.csv")

    with pytest.raises(SystemExit) as ended:
        exit_cleanly(write)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {says}")


def test_any_other_error_of_the_system_is_a_bug() -> None:
    def read() -> None:
        raise OSError(errno.EISDIR, "Is a directory", "x")

    with pytest.raises(IsADirectoryError):
        exit_cleanly(read)


def test_a_real_write_that_finds_no_room_is_one_line(tmp_path: Path) -> None:
    code = "from pathlib import Path\nfrom stages.base.tables import write_json\n"
    code += "from stages.base.command import exit_cleanly\n"
    code += f"exit_cleanly(lambda: write_json({{'a': 1}}, Path({str(tmp_path / 'a.json')!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        env={**os.environ, "REAL_PYTHON": "1"},
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "expected room on the disk" in done.stderr
    assert not list(tmp_path.iterdir())
