"""`python -m demo run`: the whole loop on drawn sheets, in a copy of the project that leaves the clone as it is."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pandas as pd

from stages.base.errors import UserError
from stages.base.params import PARAMS, read_classes
from stages.convergence.history.history_columns import classes_of
from stages.convergence.history.history_file import read_history
from stages.intake.demo_values import drawn_params, is_drawn, params_at
from stages.project.preconditions import HISTORY
from stages.project.repository import dvc, git
from stages.report.iteration_report import page_file
from stages.review.kept.reviewers import Reviewer
from stages.wording.rates import rate

PLACE = Path(".demo")
AUTHOR = ("yoloop demo", "demo@localhost")
# A person's settings that would ask for a key, run a hook or leave files out.
SETTINGS = {"commit.gpgsign": "false", "tag.gpgsign": "false", "core.hooksPath": "/dev/null"}
_NO_CLONE = (
    "expected a clone of the repository, found a folder without Git. Clone it with git instead of unpacking an archive."
)
_ACROSS = 8  # iterations beside each other; more are wider than a terminal
INTERRUPTED = 130  # exit code of a command that Ctrl+C ended


def run_demo(clone: Path, *, reviewer: Reviewer = "oracle", say: Callable[[str], None]) -> None:
    """Copy the working tree into `.demo`, run the loop there, reviewed by `reviewer`, and show it.

    Raises `UserError` with the line of the step that failed; what is in `.demo` then can be looked at.
    """
    root = clone / PLACE
    if git.call(clone, "rev-parse", "--is-inside-work-tree").stdout.strip() != b"true":
        raise UserError(f"{clone.resolve()}: {_NO_CLONE}")
    if root.exists():
        aside = next(place for n in count(1) if not (place := clone / f"{PLACE}.{n}").exists())
        root.rename(aside)  # never deleted: it may hold somebody's review
        say(f"The demo of before is now in {aside.name}; delete it when you are done with it.")
    say(f"Copying the working tree into {PLACE} ...")
    copy_project(clone, root)
    start_repository(root)
    steps = ["python -m demo draw", f"yoloop run --review {reviewer}"]
    for number, step in enumerate(steps):
        try:
            run_step(root, step)
        except KeyboardInterrupt:
            say(f"The demo stopped. Go on with: {' && '.join([*_entering(clone), *steps[number:]])}")
            raise
    say("\n".join(["", *table(root), "", *_afterwards(clone, root)]))


def table(root: Path) -> list[str]:
    """Return the iterations of the project at `root` as lines: what was reviewed, and what came of it."""
    history = read_history(root / HISTORY, read_classes(root / PARAMS))
    lines = [f"{'iteration':>9}{'reviewed':>10}{'in train':>10}{'F1':>8}{'P':>8}{'R':>8}  verdict"]
    reviewed = history["train_boxes"].diff().fillna(0)
    for (_, row), new in zip(history.iterrows(), reviewed, strict=True):
        numbers = "".join(f"{_rate(row[name]):>8}" for name in ("f1", "precision", "recall"))
        verdict = f"{row['verdict']} ({row['rule']})" if row["rule"] else row["verdict"]
        lines.append(f"{row['iteration']:>9}{int(new):>10}{row['train_boxes']:>10}{numbers}  {verdict}")
    return [*lines, *_class_rows(history.tail(_ACROSS)), "reviewed, in train: boxes; F1, P and R on val"]


def _class_rows(history: pd.DataFrame) -> list[str]:
    """Return F1 of each class, a row a class: any number of them fits into a terminal."""
    classes = classes_of(list(history.columns))
    width = max(9, *(len(name) for name in classes))
    head = f"{'F1 of':<{width}}{''.join(f'{step:>8}' for step in history['iteration'])}"
    return [
        head,
        *(f"{name:<{width}}{''.join(f'{_rate(f1):>8}' for f1 in history[f'f1[{name}]'])}" for name in classes),
    ]


def _rate(value: float | None) -> str:
    return rate(None if pd.isna(value) else value)


def copy_project(clone: Path, root: Path) -> None:
    """Copy what Git tracks or would track, with a person's params.yaml where the clone has the demo's values.

    Files that are deleted in the working tree are left out.
    """
    listed = git.run(clone, "ls-files", "-z", "-co", "--exclude-standard").split("\0")
    for name in sorted(set(listed) - {""}):
        if (clone / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(clone / name, root / name)
    if is_drawn(clone):
        (root / PARAMS).write_text(params_at(clone), encoding="utf-8")


def start_repository(root: Path) -> None:
    """Make the copy a repository of its own, with the demo's values, and an author: no setting of this machine counts.

    The values have a commit of their own, so that an import can put back what stood there before.
    """
    git.run(root, "init", "-q", "-b", "main")
    author = dict(zip(("user.name", "user.email"), AUTHOR, strict=True))
    for key, value in {**author, **SETTINGS}.items():
        git.run(root, "config", key, value)
    git.run(root, "add", "-A", "--force")  # all that was copied, whatever this machine ignores
    git.run(root, "commit", "-q", "-m", "Start the demo")
    (root / PARAMS).write_text(drawn_params(root), encoding="utf-8")
    git.run(root, "commit", "-q", "--allow-empty", "-m", "Take the demo's values", "--", str(PARAMS))
    git.run(root, "tag", "dataset-v0")


def run_step(root: Path, typed: str) -> None:
    """Run what a person would type in the copy, with its own modules; Ctrl+C reaches it, too.

    It says itself where it stopped. Raises `UserError` when it fails.
    """
    program, *words = typed.removeprefix("python -m ").split()
    module = "stages.loop" if program == "yoloop" else program
    process = subprocess.Popen([sys.executable, "-m", module, *words], cwd=root, env=dvc.environment())
    interrupted = False
    while process.returncode is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted or process.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if process.returncode:
        raise UserError(f"the demo's step `{typed}` ended with exit code {process.returncode}; see above")


def _entering(clone: Path) -> list[str]:
    """Return the commands that lead into the demo, with this interpreter's `yoloop` and `dvc` on the path."""
    activate = Path(sys.executable).parent / "activate"
    home = clone.resolve()
    place = activate.relative_to(home) if activate.is_relative_to(home) else activate
    return [*([f". {place}"] if activate.is_file() else []), f"cd {PLACE}"]


def _afterwards(clone: Path, root: Path) -> list[str]:
    history = read_history(root / HISTORY, read_classes(root / PARAMS))
    last = int(history["iteration"].iloc[-1])
    return [
        f"Open {(root / page_file(last)).resolve()}",
        "",
        f"Try next, after {' && '.join(_entering(clone))}",
        f"  dvc metrics diff iteration-0 iteration-{last} --targets metrics/validate.json",
        f"  yoloop plots iteration-0 iteration-{last} --open",
        "  yoloop run --start-iteration 0 --review page     review the first packet yourself, on a line of its own",
    ]
