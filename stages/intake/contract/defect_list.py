"""Turns findings into lines for a person: what refuses the dataset first, few lines per kind, and a sum."""

from collections import Counter
from collections.abc import Sequence

from stages.dataset.defects import Defect, Severity

_FEW = 3  # lines of one kind that are shown, unless all are asked for
_ORDER: tuple[Severity, ...] = ("error", "warning", "note")


def finding_lines(findings: Sequence[Defect], *, every: bool = False) -> list[str]:
    """Return the findings grouped by kind, errors first; a few of each, or `every` one. Notes get one line a kind."""
    lines: list[str] = []
    for severity in _ORDER:
        of_kind: dict[str, list[Defect]] = {}
        for finding in findings:
            if finding.severity == severity:
                of_kind.setdefault(finding.code, []).append(finding)
        for code, group in of_kind.items():
            shown = group if every else group[: 1 if severity == "note" else _FEW]
            lines.append(f"{severity} {code} ({len(group)})")
            lines += [f"  {finding}" for finding in shown]
            lines += [f"  and {len(group) - len(shown)} more"] if len(group) > len(shown) else []
    return lines


def summary(findings: Sequence[Defect]) -> str:
    """Return how many errors, warnings and notes there are, in a few words."""
    count = Counter(finding.severity for finding in findings)
    return ", ".join(f"{count[severity]} {severity}{'s' * (count[severity] != 1)}" for severity in _ORDER)
