"""Turns findings into lines for a person: what refuses the dataset first, few lines per kind, and a sum."""

from collections import Counter
from collections.abc import Sequence

from stages.dataset.defects import Defect, Severity

_FEW = 3  # lines of one kind that are shown, unless all are asked for
_ORDER: tuple[Severity, ...] = ("error", "warning", "note")


def finding_lines(findings: Sequence[Defect], *, every: bool = False, sheets: int = 0) -> list[str]:
    """Return the findings grouped by kind, errors first; a few of each, or `every` one. Notes get one line a kind.

    `sheets` is how many there are: a note that concerns all of them is one line, whatever is asked for.
    """
    lines: list[str] = []
    for (severity, code), group in _by_kind(findings).items():
        if _is_general(group, sheets):
            lines.append(f"note {code}: on all {sheets} sheets: {str(group[0]).removeprefix(f'{group[0].file}: ')}")
            continue
        shown = group if every else group[: 1 if severity == "note" else _FEW]
        lines.append(f"{severity} {code} ({len(group)})")
        lines += [f"  {finding}" for finding in shown]
        lines += [f"  and {len(group) - len(shown)} more"] if len(group) > len(shown) else []
    return lines


def summary(findings: Sequence[Defect], *, sheets: int = 0) -> str:
    """Return how many errors, warnings and notes there are, in a few words; a note of all `sheets` is one."""
    count: Counter[Severity] = Counter()
    for (severity, _), group in _by_kind(findings).items():
        count[severity] += 1 if _is_general(group, sheets) else len(group)
    return ", ".join(f"{count[severity]} {severity}{'s' * (count[severity] != 1)}" for severity in _ORDER)


def _by_kind(findings: Sequence[Defect]) -> dict[tuple[Severity, str], list[Defect]]:
    kinds: dict[tuple[Severity, str], list[Defect]] = {}
    once = dict.fromkeys(findings)  # two entries of one picture each have what is said of both
    for finding in sorted(once, key=lambda one: _ORDER.index(one.severity)):
        kinds.setdefault((finding.severity, finding.code), []).append(finding)
    return kinds


def _is_general(group: Sequence[Defect], sheets: int) -> bool:
    """Say whether a kind of note is said of each of `sheets`, two or more, so that no single one is meant."""
    return group[0].severity == "note" and len({one.file for one in group}) == sheets > 1
