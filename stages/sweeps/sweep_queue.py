"""`yoloop sweep`: queues DVC experiments with other values, each under a name of its own; `yoloop adopt` keeps one.

DVC queues two sweeps under one name without a word, and the results of the second are nowhere. It also takes a comma in
a text for two values. So every combination is queued by itself here, with its values quoted, under a name that nothing
has.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from stages.base.errors import UserError, problem
from stages.base.params import PARAMS, read_classes, read_iteration
from stages.iteration.finish import finish
from stages.iteration.overrides import read_overrides
from stages.project.preconditions import SETTINGS, is_finished, iteration_tag, require_repository
from stages.project.project_lock import exclusive
from stages.project.repository import dvc, git
from stages.sweeps.sweep_values import Setting, combinations, names_of, nested, override, said, taken

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def queue_sweep(root: Path, name: str, asked: Sequence[str]) -> str:
    """Queue an experiment for each combination of values, and return what to print.

    Raises `UserError`, with nothing queued, for a value that params.yaml or data/prompts.yaml would not take, a name
    that is used or queued, an iteration that is finished, and settings that are not committed.
    """
    require_repository(root)
    if not _NAME.fullmatch(name):
        raise problem("sweep_queue.sweep_name", name)
    experiments = combinations(asked)
    for settings in experiments:
        _require_good(root, settings)
    names = names_of(name, len(experiments))
    with exclusive(root):
        _require_open(root)
        _require_committed(root)
        used = taken([name, *names], known_names(root))
        if used:
            raise problem("sweep_queue.name_free", used[0], what=used[1])
        for one, settings in zip(names, experiments, strict=True):
            values = [part for setting in settings for part in ("-S", override(setting))]
            dvc.run(root, "exp", "run", "--queue", "-n", one, *values)
    lines = [f"{one}: {said(settings)}" for one, settings in zip(names, experiments, strict=True)]
    told = "Queued. Run them: dvc queue start, which goes on in the background; how far they are: dvc queue status, and"
    return "\n".join([*lines, f"{told} dvc queue logs {names[0]} -f; what came out: yoloop experiments"])


def adopt(root: Path, name: str) -> str:
    """Bring the values and results of an experiment into the workspace, and finish the iteration with them.

    Raises `UserError`, with nothing changed, for a name that no experiment has, an iteration that is finished, values
    of a person that are not committed, and files that were committed since the experiment began.
    """
    require_repository(root)
    with exclusive(root):
        _require_open(root)
        known = known_names(root).get(name, "none of that name")
        if known != _DONE:
            raise problem("sweep_queue.experiment", name, found=known)
        _require_committed(root)
        _require_same_files(root, name)
        dvc.run(root, "exp", "apply", name)
    return finish(root)


_DONE = "an experiment that has run"


def known_names(root: Path) -> dict[str, str]:
    """Return the names of all experiments, queued, running, failed or run, each with what it is."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        tasks = {
            task["name"]: f"one that is {str(task['status']).lower()}"
            for task in repo.experiments.celery_queue.status()
        }
    listed = dvc.run(root, "exp", "list", "--all-commits", "--name-only").split()
    return {**tasks, **dict.fromkeys(listed, _DONE)}


def _require_open(root: Path) -> None:
    iteration = read_iteration(root / PARAMS)
    if is_finished(root, iteration):
        raise problem("sweep_queue.iteration_open", iteration_tag(root, iteration))


def _require_committed(root: Path) -> None:
    """Raise `UserError` for settings of a person that are not committed: an experiment would take them along unsaid."""
    changed = git.changed(root, list(SETTINGS))
    if changed:
        raise problem("sweep_queue.settings_committed", root / changed[0])


def _require_same_files(root: Path, name: str) -> None:
    """Raise `UserError` where more than settings was committed since an experiment began: DVC would take it back."""
    refs = git.run(root, "for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").split()
    bases = ["".join(ref.split("/")[2:4]) for ref in refs]  # refs/exps/BA/SE/NAME
    head = git.head(root)
    if head in bases:
        return
    changed = [path for path in git.run(root, "diff", "--name-only", "-z", bases[0], head).split("\0") if path]
    others = sorted(set(changed) - set(SETTINGS))
    if others:
        raise problem("sweep_queue.same_files", name, file=others[0], base=bases[0][:7], name=name)


def _require_good(root: Path, settings: Sequence[Setting]) -> None:
    """Raise `UserError` for a value that the project would refuse once it runs."""
    classes = read_classes(root / PARAMS)
    for setting in settings:
        if setting.class_name is not None and setting.class_name not in classes:
            raise problem("sweep_queue.class_of_prompt", f"-S {setting.path}", classes=", ".join(classes))
    values = nested([one for one in settings if one.class_name is None])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.yaml"
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        try:
            read_overrides(file, root)
        except UserError as error:
            raise UserError(re.sub(rf"{re.escape(str(file))}(:\d+)?", "-S", str(error))) from error
