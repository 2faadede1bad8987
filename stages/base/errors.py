"""The one error that reaches a person as a sentence."""


class UserError(Exception):
    """Something a person can mend: one line that names the place, what was expected and found, and the mend.

    Commands and stages print it on stderr and exit with 2; a traceback never follows it.
    """


def problem(where: object, *, expected: str, found: str, mend: str) -> UserError:
    """Return a `UserError` in the one form that all our messages have.

    `where` names a file, or `file:line` where a line is known.
    """
    return UserError(f"{where}: expected {expected}, found {found}. {mend}")
