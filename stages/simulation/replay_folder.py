"""A simulation's folder: a project of Git and DVC of its own, with the code and the weights that it began with.

So a measurement of hours is not moved by an edit of the code, and its folder alone says what was measured.
"""

import shutil
from pathlib import Path

import yaml

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.base.params import PARAMS
from stages.project.repository import dvc, git
from stages.simulation.replay_graph import CELLS, CODE, DEALS, SOURCE, WEIGHTS, graph_of
from stages.simulation.replay_settings import ReplaySettings, settings_text

_PACKAGE = Path(__file__).parents[1]  # of the code that runs now
_IGNORED = f"/{SOURCE}\n/{DEALS}\n/{CELLS}\n/.scratch\n/.yoloop\n/logs\n*.yoloop-tmp\n__pycache__/\n"
_IGNORED_BY_DVC = "__pycache__\n.scratch\n.yoloop\nlogs\n*.yoloop-tmp\n*.cache\n"
_DVC = {"core.analytics": "false", "core.check_update": "false", "cache.type": "reflink,hardlink,copy"}
_AUTHOR = {"user.name": "yoloop simulate", "user.email": "simulate@localhost", "commit.gpgsign": "false"}


def require_same(folder: Path, settings: ReplaySettings) -> bool:
    """Say whether `folder` holds this simulation; raise `UserError` when it holds another one, or anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / PARAMS).is_file() or not (folder / CODE / "simulation").is_dir():
        raise problem("replay_folder.folder_yet", folder)
    before = yaml.safe_load((folder / PARAMS).read_text(encoding="utf-8"))
    now = yaml.safe_load(settings_text(settings))
    other = next((key for key in now if before.get(key) != now[key]), None)
    if other:
        was, found = before.get(other), now[other]
        raise problem("replay_folder.same_settings", folder / PARAMS, key=other, before=was, now=found)
    return git.resolve(folder, "HEAD") is not None  # its first commit is the last step


def write_folder(folder: Path, settings: ReplaySettings, weights: Path) -> None:
    """Write the project of a simulation: settings, graph, code, and the weights parent.pt and target.pt of `weights`.

    What a kill left of an earlier try is written anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / PARAMS, settings_text(settings))
    shutil.copytree(_PACKAGE, folder / CODE, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name in ("parent.pt", "target.pt"):
        (folder / WEIGHTS).mkdir(exist_ok=True)
        with replacing(folder / WEIGHTS / name) as temporary:
            shutil.copyfile(weights / name, temporary)
    _write(folder / "dvc.yaml", yaml.safe_dump(graph_of(settings), sort_keys=False, allow_unicode=True, width=4096))
    _write(folder / ".gitignore", _IGNORED)
    _write(folder / ".dvcignore", _IGNORED_BY_DVC)
    git.run(folder, "init", "-q", "-b", "main")
    if not (folder / ".dvc/config").is_file():
        dvc.run(folder, "init", "-f")
    for key, value in _DVC.items():
        dvc.run(folder, "config", key, value)
    keep(folder, "Write the simulation")


def keep(folder: Path, message: str) -> None:
    """Commit what has changed in the folder; nothing where nothing has."""
    author = [word for key, value in _AUTHOR.items() for word in ("-c", f"{key}={value}")]
    git.run(folder, "add", "-A")
    if git.changed(folder):
        git.run(folder, *author, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", message)


def _write(file: Path, text: str) -> None:
    with replacing(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
