"""Asks whether folders can be written into, before an hour of work ends at one that cannot."""

import os
import pwd
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from stages.base.errors import UserError, problem


def require_writable(folders: Iterable[Path]) -> None:
    """Raise `UserError` for the first of `folders` in which nothing can be made or replaced, with what mends that.

    Of one that is not there yet, the nearest one above it counts.
    """
    for folder in folders:
        place = next(one for one in (folder, *folder.parents) if one.exists())
        if not _is_writable(place):
            raise _closed(place if place.name else place.resolve())


def with_subfolders(path: Path) -> Iterator[Path]:
    """Yield the folder that `path` lies in, and if it is a folder itself, it and all below it: to delete it whole."""
    yield path.parent
    if path.is_dir() and not path.is_symlink():
        yield from (Path(folder) for folder, _, _ in os.walk(path))


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _closed(folder: Path) -> UserError:
    owner, me = folder.stat().st_uid, os.geteuid()
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return problem("writable.mounted", folder)
    if owner != me:
        return problem("writable.of_another", folder, owner=_name(owner), me=_name(me), folder=shlex.quote(str(folder)))
    below = any(not _is_writable(Path(one)) for one, _, _ in os.walk(folder) if Path(one) != folder)
    change = "find {} -type d -exec chmod u+w {{}} +" if below else "chmod u+w {}"
    return problem("writable.own", folder, change=change.format(shlex.quote(str(folder))))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # in a container, one that only the machine around it knows
        return str(user)
