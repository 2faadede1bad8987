"""Says at once when a person edits what a running step has read: at its end the step can only fail."""

from pathlib import Path
from typing import Any

from stages.base.command import settings_of
from stages.project.preconditions import SETTINGS


class SettingsWatch:
    """Looks at the settings files each time it is asked, and says once for each edit what it means."""

    def __init__(self, root: Path) -> None:
        """Watch the files of the project at `root`."""
        self._root = root
        self._step, self._told = "", dict[tuple[str, str], Any]()
        self._seen = self._stamps()

    def begins(self, step: str) -> None:
        """Remember what the step that begins now reads."""
        self._step, self._told, self._seen = step, settings_of(step, self._root), self._stamps()

    def line(self) -> str | None:
        """Return what to say if a value of the running step was edited since this was last asked, else None."""
        if not self._step or self._stamps() == self._seen:
            return None
        self._seen = self._stamps()
        now = settings_of(self._step, self._root)
        edited = [f"{key} in {file}" for (file, key), value in self._told.items() if now[file, key] != value]
        if not edited:
            return None
        return (
            f"{edited[0]} was edited while {self._step} runs, which has read it already: unless it is put back before "
            f"the step ends, the step fails. What is meant for the next iteration, edit in the pause for the review."
        )

    def _stamps(self) -> list[int]:
        files = [self._root / name for name in SETTINGS]
        return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
