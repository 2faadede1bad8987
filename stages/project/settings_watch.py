"""Says at once when a person edits what a running step has read: at its end the step can only fail."""

import time
from pathlib import Path
from typing import Any

from stages.base.command import files_of, settings_of
from stages.base.stage_inputs import FileChange, States, first_change, states_of
from stages.project.preconditions import SETTINGS

_PAUSE = 10.0  # seconds between two looks at the files: one takes a tenth of a second for 20,000


class SettingsWatch:
    """Looks at the settings each time it is asked, at files now and then, and says once for each edit what it means."""

    def __init__(self, root: Path, *, pause: float = _PAUSE) -> None:
        """Watch the project at `root`; `pause` is in seconds."""
        self._root, self._pause = root, pause
        self._step, self._told = "", dict[tuple[str, str], Any]()
        self._files, self._states, self._next_look = list[str](), States(), 0.0
        self._seen = self._stamps()

    def begins(self, step: str) -> None:
        """Remember what the step that begins now reads."""
        self._step, self._told, self._seen = step, settings_of(step, self._root), self._stamps()
        self._files = files_of(step, self._root)
        self._states = states_of(self._files, self._root)
        self._next_look = time.monotonic() + self._pause

    def line(self) -> str | None:
        """Return what to say if what the running step reads was edited since this was last asked, else None."""
        if not self._step:
            return None
        return self._setting_line() or self._file_line()

    def _setting_line(self) -> str | None:
        if self._stamps() == self._seen:
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

    def _file_line(self) -> str | None:
        change = self._file_change()
        if change is None:
            return None
        self._files = []  # it is said: the step fails in any case
        return (
            f"{change.path} was {change.how} while {self._step} runs, which may have read it already: the step fails "
            f"at its end. To begin it anew at once: Ctrl+C, then yoloop run."
        )

    def _file_change(self) -> FileChange | None:
        if not self._files or time.monotonic() < self._next_look:
            return None
        self._next_look = time.monotonic() + self._pause
        return first_change(self._states, self._files, self._root)

    def _stamps(self) -> list[int]:
        files = [self._root / name for name in SETTINGS]
        return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
