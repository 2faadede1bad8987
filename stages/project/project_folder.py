"""The project in this folder, as every command of `yoloop` finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from stages.base.errors import problem


@contextmanager
def project(*, only_looks: bool = False) -> Iterator[Path]:
    """Yield the project's folder, after clearing up behind a killed command; Ctrl+C ends with 130.

    `only_looks`: a command that changes nothing, and that answers while another one is at work.
    """
    root = Path()
    for name in ("params.yaml", "dvc.yaml"):
        if not (root / name).is_file():
            raise problem("project_folder.file_folder", name, root=root.resolve())
    try:
        from stages.project.project_lock import holder
        from stages.project.repository.dvc_leftovers import mend
        from stages.project.repository.transaction import recover

        lines = [] if only_looks and holder(root) else [*mend(root), recover(root)]
        for line in lines:
            if line:
                typer.echo(line)
        yield root
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
