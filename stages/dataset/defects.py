"""What a check found: one record, one line of text, and what counts as a refusal."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from stages.base.errors import UserError, problem, text_of

Severity = Literal["error", "warning", "note"]


class Defect(NamedTuple):
    """One thing that a check found; `line` is a line of a text file or the id of an annotation, or None.

    `severity` error: the dataset is refused. warning: it is taken, and this is what is done about it.
    note: only to be known. `code` is short, in words joined by dashes, and the same for every finding of one kind.
    """

    severity: Severity
    code: str
    file: Path
    line: int | None
    expected: str
    found: str
    mend: str

    def __str__(self) -> str:
        """Return the one line that a person reads, in the form of all our messages."""
        return str(self.error())

    def error(self) -> UserError:
        """Return it as what a command raises."""
        place = f" annotation {self.line}" if self.file.suffix == ".json" else f":{self.line}"
        where = f"{self.file}{'' if self.line is None else place}"
        return problem("defects.error", where, expected=self.expected, found=self.found, mend=self.mend)


def finding(severity: Severity, code: str, file: Path, line: int | None = None, /, **values: object) -> Defect:
    """Return what a check found: the text of `code`, `module.kind` in stages/messages/*.toml, with `values` in it."""
    expected, _, rest = text_of(code).removeprefix("expected ").partition(", found ")
    found, _, mend = rest.partition(". ")
    told = (part.format(**values) for part in (expected, found, mend))
    return Defect(severity, code.partition(".")[2], file, line, *told)


def errors(findings: Iterable[Defect]) -> list[Defect]:
    """Return those that refuse the dataset, in their order."""
    return [finding for finding in findings if finding.severity == "error"]


def refuse(findings: Iterable[Defect], *, then: str = "") -> None:
    """Raise `UserError` for the first error among `findings`, with how many more there are, and `then`, a mend."""
    found = errors(findings)
    if found:
        more = f" {len(found) - 1} more error{'s' * (len(found) > 2)} like this or others." if len(found) > 1 else ""
        raise UserError(f"{found[0]}{more}{' ' * bool(then)}{then}")
