"""Puts back what a failed run took away: DVC removes a stage's outs before it runs, and lays params.yaml out anew."""

from pathlib import Path

from stages.base.atomic import replacing
from stages.base.errors import UserError
from stages.base.params import PARAMS
from stages.project.repository import dvc

_RESULTS = ("metrics/**/*.json", "plots/**/*.csv")  # not in DVC's cache; in Git only once an iteration is finished


def remember(root: Path) -> dict[Path, bytes]:
    """Return the content of params.yaml and of the results that DVC could not restore."""
    files = [file for pattern in _RESULTS for file in root.glob(pattern)]
    return {file: file.read_bytes() for file in (root / PARAMS, *files) if file.is_file()}


def put_back(root: Path, remembered: dict[Path, bytes]) -> None:
    """Restore params.yaml, and every result that is missing now; what stages wrote in the meantime stays."""
    for file, data in remembered.items():
        if file == root / PARAMS or not file.exists():
            with replacing(file) as temporary:
                temporary.write_bytes(data)
    try:
        gone = _deleted(root)
        if gone:
            dvc.checkout(root, *gone)
    except UserError:
        return  # what the cache does not have either was never complete, and the next run makes it


def _deleted(root: Path) -> list[str]:
    """Return the outs of stages that DVC knows and that are not there."""
    stages = {name: changes for name, changes in dvc.status(root).items() if not name.endswith(".dvc")}
    outs = [part.get("changed outs", {}) for changes in stages.values() for part in changes if isinstance(part, dict)]
    return sorted(path for out in outs for path, kind in out.items() if kind == "deleted")
