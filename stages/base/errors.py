"""The one error that reaches a person as a sentence."""

import tomllib
from functools import cache
from pathlib import Path

# Apart from all code: no stage depends on a sentence, so mending one trains and predicts nothing again.
_TEXTS = Path(__file__).parents[1] / "messages"


class UserError(Exception):
    """Something a person can mend: one line that names the place, what was expected and found, and the mend.

    Commands and stages print it on stderr and exit with 2; a traceback never follows it.
    """


def problem(code: str, place: object, /, **values: object) -> UserError:
    """Return a `UserError` with the text of `code`, `module.name` in stages/messages/*.toml, and `values` in it.

    `place` names a file, or `file:line` where a line is known.
    """
    module, _, name = code.partition(".")
    return UserError(f"{place}: {_texts()[module][name].format(**values)}")


@cache
def _texts() -> dict[str, dict[str, str]]:
    """Return the texts by module and name."""
    rooms = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(_TEXTS.glob("*.toml"))]
    return {module: texts for room in rooms for module, texts in room.items()}
