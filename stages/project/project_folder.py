"""The project in this folder, as every command of `yoloop` finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from stages.base.errors import problem


@contextmanager
def project(*, reading: bool = False, for_program: bool = False) -> Iterator[Path]:
    """Yield the project's folder, after clearing up behind a killed command; Ctrl+C ends with 130.

    `reading`: the command only reads, so it also answers while another one is at work. `for_program`: what it prints is
    read by one, so that what was cleared up is said on stderr.
    """
    root = Path()
    for name in ("params.yaml", "dvc.yaml"):
        if not (root / name).is_file():
            raise problem("project_folder.file_folder", name, root=root.resolve())
    try:
        from stages.project.project_lock import holder

        if not (reading and holder(root)):
            _clear_up(root, aside=for_program)
        yield root
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _clear_up(root: Path, *, aside: bool) -> None:
    from stages.project.repository.dvc_leftovers import mend
    from stages.project.repository.transaction import recover

    for line in (*mend(root), recover(root)):
        if line:
            typer.echo(line, err=aside)  # beside what a program reads
