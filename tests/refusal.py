"""What a refusal is: exit code 2, one line, and not a byte changed."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.real_project import Project

# What no person cares about: logs, scratch, the journal, Git's and DVC's own folders (refs are looked at apart).
_PASSED_OVER = {"logs", ".scratch", ".yoloop", ".git", ".dvc", "__pycache__"}


def contents(root: Path) -> dict[str, str]:
    """Return the digest of every file that a person would call theirs."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    kept = [path for path in files if not _PASSED_OVER & set(path.relative_to(root).parts)]
    return {str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in kept}


def refs(root: Path) -> str:
    """Return HEAD, every ref but the one that DVC notes to itself, and what Git sees as changed."""
    own = ["for-each-ref", "refs/heads", "refs/tags", "refs/exps/??/**"]
    commands = (["symbolic-ref", "HEAD"], own, ["status", "--porcelain"])
    return "\n".join(
        subprocess.run(["git", *command], cwd=root, capture_output=True, text=True, check=True).stdout
        for command in commands
    )


def refused(project: Project, module: str, *args: str) -> str:
    """Run a stage, or yoloop; check that it changed nothing and ended with one line; return that line."""
    return refused_command(project, sys.executable, "-m", f"stages.{module}", *args)


def refused_command(project: Project, *command: str) -> str:
    before = (contents(project.root), refs(project.root))
    done = project.run(*command, code=None)
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert [line.startswith("error: ") for line in lines].count(True) == 1, done.stderr
    assert lines[-1].startswith("error: ")
    assert ": expected " in lines[-1]
    assert ", found " in lines[-1]
    assert (contents(project.root), refs(project.root)) == before
    return lines[-1]
