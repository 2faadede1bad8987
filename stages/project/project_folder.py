"""The project in this folder, as every command of `yoloop` finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from stages.base.errors import problem


@contextmanager
def project() -> Iterator[Path]:
    """Yield the project's folder, after clearing up behind a killed command; Ctrl+C ends with 130."""
    root = Path()
    for name in ("params.yaml", "dvc.yaml"):
        if not (root / name).is_file():
            raise problem("project_folder.file_folder", name, root=root.resolve())
    try:
        from stages.project.repository.dvc_leftovers import mend
        from stages.project.repository.transaction import recover

        for line in (*mend(root), recover(root)):
            if line:
                typer.echo(line)
        yield root
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
