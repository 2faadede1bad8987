"""The seconds that the stages of an iteration took: kept in logs, since no output may hold a clock."""

from pathlib import Path

from stages.base.tables import read_json, write_json

LOGS = Path("logs")
KEPT = LOGS / "seconds"  # iteration_NN.json: stage -> seconds


def keep_seconds(root: Path, iteration: int, *, since: float) -> None:
    """Keep what the stages took that have run since `since` (Unix time); one from the cache has not."""
    files = sorted((root / LOGS).glob("*/seconds.json"))
    taken = {file.parent.name: read_json(file)["seconds"] for file in files if file.stat().st_mtime >= since}
    if taken:
        write_json(taken, root / KEPT / f"iteration_{iteration:02d}.json")


def kept_seconds(root: Path) -> dict[int, dict[str, float]]:
    """Return the seconds per iteration and stage, as far as they were kept."""
    files = sorted((root / KEPT).glob("iteration_*.json"))
    return {int(file.stem.removeprefix("iteration_")): read_json(file) for file in files}
