"""The one error that reaches a person as a sentence."""

import re
import tomllib
from functools import cache
from pathlib import Path

# Apart from all code: no stage depends on a sentence, so mending one trains and predicts nothing again.
_TEXTS = Path(__file__).parents[1] / "messages"

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BYTES = range(0xDC80, 0xDD00)  # how Python keeps the bytes of a file's name that are no UTF-8


class UserError(Exception):
    """Something a person can mend: one line that names the place, what was expected and found, and the mend.

    Commands and stages print it on stderr and exit with 2; a traceback never follows it.
    """


def problem(code: str, place: object, /, **values: object) -> UserError:
    """Return a `UserError` with the text of `code`, `module.name` in stages/messages/*.toml, and `values` in it.

    `place` names a file, or `file:line` where a line is known. Whatever a file is called, it is one line.
    """
    return UserError(printable(f"{place}: {text_of(code).format(**values)}"))


def text_of(code: str) -> str:
    """Return the text of `code`, without its values."""
    module, _, name = code.partition(".")
    return _texts()[module][name]


@cache
def _texts() -> dict[str, dict[str, str]]:
    """Return the texts by module and name."""
    rooms = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(_TEXTS.glob("*.toml"))]
    return {module: texts for room in rooms for module, texts in room.items()}


def printable(text: str, *, instead: str | None = None) -> str:
    """Return `text` with `instead`, or an escape such as `\\xfc`, for each letter that no line and no UTF-8 takes."""
    return _UNPRINTABLE.sub(_escaped if instead is None else instead, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if code in _BYTES else found[0].encode("unicode_escape").decode()
