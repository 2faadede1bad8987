"""Which sheets of a pool are copies of sheets that were picked before them, without asking one by one.

To hold one sheet against some others costs as much as to index these others, so a picker that asks for each sheet in
turn would take four times as long for twice the packet. Here the next sheets in turn are looked at together, before
somebody asks for the last of them.
"""

from collections.abc import Callable, Sequence

from stages.firewall.copies import Fingerprint
from stages.firewall.signatures import copies

_MORE = 0.25  # of those that were looked at: so many are looked at next, when the first ones were not enough


class CopiesInTurn:
    """Knows the copies among sheets that are asked for in the order `turn`, each once; `look` opens a picture.

    `first` is how many sheets a picker will ask for, about.
    """

    def __init__(self, turn: Sequence[str], look: Callable[[str], Fingerprint], *, first: int) -> None:
        self._turn, self._look, self._first = turn, look, max(first, 1)
        self._place = {name: place for place, name in enumerate(turn)}
        self._prints: dict[str, Fingerprint] = {}
        self._copies: dict[str, set[str]] = {}

    def is_copy(self, name: str, taken: Sequence[str]) -> bool:
        """Say whether the sheet `name` is a copy of one of `taken`, all of which are of the turn."""
        if not taken:
            return False
        while max(self._place[name], self._place[taken[-1]]) >= len(self._prints):
            self._look_on()
        return name in self._copies and not self._copies[name].isdisjoint(taken)

    def _look_on(self) -> None:
        known = len(self._prints)
        more = self._turn[known : known + max(self._first if not known else int(_MORE * known), 1)]
        new = {name: self._look(name) for name in more}
        for one, other in [*copies(new, new), *copies(new, self._prints)]:
            self._copies.setdefault(one, set()).add(other)
            self._copies.setdefault(other, set()).add(one)
        self._prints |= new
