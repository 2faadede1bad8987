"""The one error that reaches a person as a sentence."""

import re

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BYTES = range(0xDC80, 0xDD00)  # how Python keeps the bytes of a file's name that are no UTF-8


class UserError(Exception):
    """Something a person can mend: one line that names the place, what was expected and found, and the mend.

    Commands and stages print it on stderr and exit with 2; a traceback never follows it.
    """


def problem(where: object, *, expected: str, found: str, mend: str) -> UserError:
    """Return a `UserError` in the one form that all our messages have.

    `where` names a file, or `file:line` where a line is known. Whatever a file is called, it is one line.
    """
    return UserError(printable(f"{where}: expected {expected}, found {found}. {mend}"))


def printable(text: str, *, instead: str | None = None) -> str:
    """Return `text` with `instead`, or an escape such as `\\xfc`, for each letter that no line and no UTF-8 takes."""
    return _UNPRINTABLE.sub(_escaped if instead is None else instead, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if code in _BYTES else found[0].encode("unicode_escape").decode()
