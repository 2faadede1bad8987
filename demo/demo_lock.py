"""`python -m demo lock`: the demo's iteration 0 run again, so that Git holds the results of the code as it is."""

import tempfile
from pathlib import Path

from demo.demo_data import draw_demo, require_demo
from demo.demo_run import copy_project, run_step, start_repository
from stages.base.atomic import replacing
from stages.project.preconditions import RESULTS
from stages.project.project_lock import exclusive
from stages.project.repository import dvc, git


def lock_demo(clone: Path) -> str:
    """Run iteration 0 of the demo in a copy of the working tree, bring back what Git keeps, and return what to print.

    params.yaml, data and weights of the clone stay as they are. The copy uses the clone's cache, so that a stage runs
    only when something that it reads has changed. Raises `UserError`, with nothing changed, when a stage fails.
    """
    require_demo(clone)
    with exclusive(clone), tempfile.TemporaryDirectory(prefix="yoloop-lock-") as folder:
        copy = Path(folder) / "project"
        copy_project(clone, copy)
        start_repository(copy)
        dvc.run(copy, "cache", "dir", "--local", str(clone.resolve() / dvc.run(clone, "cache", "dir").strip()))
        draw_demo(copy, renew=True)
        run_step(copy, "dvc repro")
        changed = _bring_back(copy, clone)
    return f"Changed: {', '.join(changed)}" if changed else "Nothing has changed."


def _bring_back(copy: Path, clone: Path) -> list[str]:
    """Copy the results that Git tracks or would track, and return the paths of those that differed."""
    listed = git.run(copy, "ls-files", "-z", "-co", "--exclude-standard", "--", *RESULTS).split("\0")
    new = {path: (copy / path).read_bytes() for path in sorted(set(listed) - {""}) if (copy / path).is_file()}
    changed = [path for path in new if not (clone / path).is_file() or (clone / path).read_bytes() != new[path]]
    for path in changed:
        with replacing(clone / path) as temporary:
            temporary.write_bytes(new[path])
    return changed
