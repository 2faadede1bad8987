"""A program that is forked does what the true process does: the commands, their ends, their streams, their places."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import yaml

from tests.fake_project import REPO, write_files
from tests.forks import FORKED, REAL, fork_server
from tests.real_project import clean_environment

pytestmark = pytest.mark.slow
STAGES = tuple(yaml.safe_load((REPO / "dvc.yaml").read_text())["stages"])
COMMANDS = (
    *([stage] for stage in STAGES),
    *([stage, "--help"] for stage in STAGES),
    *(["loop", *words.split()] for words in ("", "--help", "status", "run", "finish", "advance --review oracle")),
    *(["loop", *words.split()] for words in ("data check", "data accept", "prompts history", "holdout", "report")),
)
SCRIPT = """
import os, signal, sys, tempfile
print(sys.argv, tempfile.gettempdir(), os.getcwd(), os.umask(0), sys.path[0], __name__, __file__, flush=True)
print(*sorted(os.environ.items()), sep="\\n", flush=True)
print(sys.stdin.read(), signal.getsignal(signal.SIGINT), "pytest" in sys.modules, "tests" in sys.modules, flush=True)
print("to stderr", file=sys.stderr)
"""
ENDS = {
    "nothing more": "",
    "a number": "sys.exit(7)",
    "a sentence": "sys.exit('no')",
    "a crash": "raise ValueError('x')",
    "Ctrl+C": "raise KeyboardInterrupt",
    "a signal": "os.kill(os.getpid(), signal.SIGTERM)",
    "a kill": "os.kill(os.getpid(), signal.SIGKILL)",
    "at exit": "import atexit; atexit.register(print, 'at the very end')",
    "a thread": "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()",
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return clean_environment(tmp_path / "home")


def both(*args: str, env: dict[str, str], cwd: Path) -> list[tuple[int, str, str]]:
    """Return exit code and what was printed of the forked program, and of the true one."""
    environments = (env, {**env, REAL: "1"})
    done = [
        subprocess.run(
            [sys.executable, *args], env=one, cwd=cwd, input="typed", capture_output=True, text=True, check=False
        )
        for one in environments
    ]
    return [(one.returncode, one.stdout.replace(f"('{REAL}', '1')\n", ""), one.stderr) for one in done]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_stages_and_commands_say_the_same(env: dict[str, str], tmp_path: Path, command: list[str]) -> None:
    """In a folder that is no project each of them has something to say: the true process is tested here too."""
    forked, true = both("-m", f"stages.{command[0]}", *command[1:], env={**env, "PYTHONPATH": str(REPO)}, cwd=tmp_path)
    assert forked == true
    assert "".join(true[1:])


@pytest.mark.parametrize("args", ["--version", "status", "nonsense", "repro --help"])
def test_dvc_says_the_same(env: dict[str, str], tmp_path: Path, args: str) -> None:
    forked, true = both("-m", "dvc", *args.split(), env=env, cwd=tmp_path)
    assert forked == true


@pytest.mark.parametrize("more", ENDS.values(), ids=ENDS)
def test_a_script_sees_the_same_and_ends_the_same(env: dict[str, str], tmp_path: Path, more: str) -> None:
    write_files(tmp_path / "a folder", {"script.py": SCRIPT + more})
    odd = {"ODD": "ü\udcff\n", "TMPDIR": str(tmp_path / "a folder")}
    forked, true = both("a folder/script.py", "one", "--two", env={**env, **odd}, cwd=tmp_path)
    assert (forked[0], forked[1].splitlines()) == (true[0], true[1].splitlines())
    assert forked[2].splitlines()[-1] == true[2].splitlines()[-1]
    assert "typed" in true[1]


def test_modules_come_from_the_folder_then_from_the_python_path(env: dict[str, str], tmp_path: Path) -> None:
    write_files(tmp_path, {"stages/__init__.py": "", "stages/loop.py": "import other; print(other.__file__, __file__)"})
    write_files(tmp_path / "more", {"other.py": ""})
    forked, true = both("-m", "stages.loop", env={**env, "PYTHONPATH": str(tmp_path / "more")}, cwd=tmp_path)
    assert forked == true
    assert true[0] == 0


def test_it_is_forked_and_so_is_what_it_starts(env: dict[str, str], tmp_path: Path) -> None:
    write_files(tmp_path, {"who.py": "import sys; print('torch' in sys.modules or 'dvc' in sys.modules, flush=True)"})
    write_files(tmp_path, {"start.py": "import subprocess, sys; subprocess.run([sys.executable, 'who.py'])"})
    assert [said for _, said, _ in both("who.py", env=env, cwd=tmp_path)] == ["True\n", "False\n"]
    assert [said for _, said, _ in both("start.py", env=env, cwd=tmp_path)] == ["True\n", "False\n"]


def test_on_a_terminal_it_is_true_and_so_is_what_it_starts(env: dict[str, str], tmp_path: Path) -> None:
    write_files(tmp_path, {"who.py": "import sys; print('loaded:', 'dvc' in sys.modules, flush=True)"})
    write_files(tmp_path, {"start.py": "import subprocess; subprocess.run(['python', 'who.py'])"})
    stand_in = Path(sys.executable).parent
    both_paths = {**env, "PATH": f"{stand_in}:{env['PATH']}"}
    for script in ("who.py", "start.py"):
        assert "loaded: False" in pexpect.run(f"{sys.executable} {script}", cwd=str(tmp_path), env=both_paths).decode()


def test_on_a_terminal_it_is_forked_where_that_is_asked_for_and_ctrl_c_reaches_what_it_starts(env, tmp_path: Path):
    write_files(tmp_path, {"start.py": "import subprocess, sys; subprocess.run([sys.executable, 'wait.py'])"})
    write_files(tmp_path, {"wait.py": f"import sys; print(sys.stdin.isatty(), 'dvc' in sys.modules)\n{WAITS}"})
    child = pexpect.spawn(sys.executable, ["start.py"], cwd=str(tmp_path), env={**env, FORKED: "1"}, encoding="utf-8")
    child.expect_exact("True True")
    child.expect_exact("on")
    child.sendintr()
    child.expect_exact("stopped")
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == signal.SIGINT  # as start.py ends, which waited
    assert gone_soon(tmp_path)


WAITS = "import subprocess, sys\ntry: print('on', flush=True); subprocess.run(['sleep', '60'])\n"
WAITS += "except KeyboardInterrupt: print('stopped'); sys.exit(130)"


@pytest.fixture
def waiting(env: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    write_files(tmp_path, {"wait.py": WAITS})
    with subprocess.Popen(
        [sys.executable, "wait.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        yield process
        process.kill()


def running_in(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append(entry.name)
        except OSError:
            continue
    return found


def gone_soon(folder: Path) -> bool:
    end = time.monotonic() + 20
    while running_in(folder) and time.monotonic() < end:
        time.sleep(0.05)
    return not running_in(folder)


def test_ctrl_c_reaches_it(waiting: "subprocess.Popen[str]", tmp_path: Path) -> None:
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=20)[0] == "stopped\n"
    assert waiting.returncode == 130
    assert gone_soon(tmp_path)


def test_a_kill_leaves_nothing_of_it(waiting: "subprocess.Popen[str]", tmp_path: Path) -> None:
    waiting.kill()
    assert waiting.wait(20) == -signal.SIGKILL
    assert gone_soon(tmp_path)


def test_nothing_is_left_when_the_tests_end(env: dict[str, str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", f"{sys.prefix}/bin/python")
    write_files(tmp_path, {"wait.py": WAITS})
    with fork_server() as python:
        process = subprocess.Popen([python, "wait.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
    assert process.wait(20) == -signal.SIGKILL
    process.stdout.close()
    assert gone_soon(tmp_path)
    assert not python.exists()
