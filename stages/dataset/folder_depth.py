"""How deep folders may lie in each other: what looks through a folder, or removes it, goes one step down for each."""

import os
from pathlib import Path

from stages.base.errors import problem

DEEPEST = 30  # ten times what any tool's folders have


def require_shallow(folder: Path) -> None:
    """Raise `UserError` when folders lie more than DEEPEST deep in `folder`; links are not followed."""
    level = [folder]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in folders_in(outer)]
    if level:
        raise problem("folder_depth.most_folders_each", f"{str(level[0])[:200]}...", deepest=DEEPEST)


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in `folder`, links to some left out; none for one that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
