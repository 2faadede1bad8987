"""Gives every image of a source one role: train, val, test or pool. Copies of a sheet and its group share theirs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import groups
from stages.firewall.spare_copies import spare_copies
from stages.firewall.stratified_draw import draw_units

ROLES = ("train", "val", "test", "pool")
SIDES = {"train": "fit", "pool": "fit", "val": "val", "test": "test"}  # what must not share a sheet; pool becomes train


class RolePart(NamedTuple):
    """What becomes a role: a whole split of the source, a share of its train in (0, 1), or images by name."""

    split: str | None = None
    share: float | None = None
    names: frozenset[str] = frozenset()


class Kinship(NamedTuple):
    """Which images belong together: sets of copies of one sheet, each sorted, and the group of images that have one."""

    copies: Sequence[tuple[str, ...]] = ()
    groups: Mapping[str, str] = {}

    def units(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Return `names` in units that share a role, each sorted, in the order of their first names."""
        wanted = set(names)
        together: dict[object, list[str]] = {
            number: [name for name in copies if name in wanted] for number, copies in enumerate(self.copies)
        }
        for name in names:
            if self.groups.get(name):
                together.setdefault(self.groups[name], []).append(name)
        bound = groups((members[0], name) for members in together.values() for name in members)
        free = wanted.difference(*bound)
        return sorted([*bound, *((name,) for name in free)])


class Leak(NamedTuple):
    """A unit that would lie on two sides: one image of it on each, and both roles."""

    kept: str
    kept_role: str
    other: str
    other_role: str


class LeakError(ValueError):
    """Raised when a source's own splits share a sheet or a group; `leaks` names them."""

    def __init__(self, leaks: Sequence[Leak]) -> None:
        super().__init__("one sheet, or one group, is on two sides")
        self.leaks = tuple(leaks)


class Assignment(NamedTuple):
    """Names per role, sorted, each name in one role; `unused` are the names per split that have none.

    `followed` changed their role for that of their group, `left_out` are copies of a sheet of val or test: `regroup`.
    `spare` are copies that go, each with the one that stays: `one_of_each`.
    """

    roles: dict[str, tuple[str, ...]]
    unused: dict[str, tuple[str, ...]]
    followed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    spare: Mapping[str, str] = {}


def assign(
    splits: Mapping[str, Sequence[str]],
    wanted: Mapping[str, RolePart],
    rng: np.random.Generator,
    *,
    kinship: Kinship = Kinship(),  # noqa: B008 - immutable
    boxes: Mapping[str, NDArray[np.int64]] | None = None,
    regroup: bool = False,
    one_of_each: bool = False,
) -> Assignment:
    """Return which names of `splits` become train, val, test and pool.

    `wanted` says it for val, test and pool; a role that is not in it takes the source's split of that name,
    unless another role takes that. Train is what `wanted` leaves of the source's train. Shares are of all of the
    source's train that is used, at least one image, drawn after images were taken by name: unit by unit, so that copies
    and groups stay together, and stratified by `boxes`, the boxes per class (classes,) of each image that is labelled.
    With `one_of_each` one of the copies of a sheet stays. Raises `LeakError` when what was not drawn puts a unit on two
    sides; with `regroup` val wins over test, and test over train and pool: copies of its sheets are left out, the rest
    of a group follows. Raises `ValueError` with a short sentence when two
    roles want one image, or nothing would be left in train.
    """
    parts = _with_defaults(splits, wanted)
    fixed = {role: set(part.names) | set(splits.get(part.split or "", ())) for role, part in parts.items()}
    _refuse_overlap(fixed)
    role_of = {name: role for role, names in fixed.items() for name in names}
    role_of = {**dict.fromkeys(splits.get("train", ()), "train"), **role_of}
    spare = spare_copies(role_of, kinship.copies, boxes or {}) if one_of_each else {}
    role_of = {name: role for name, role in role_of.items() if name not in spare}
    found = leaks(role_of, kinship)
    if found and not regroup:
        raise LeakError(found)
    settled, followed, left_out = _settled(role_of, kinship)
    left = _free_of_pool(settled, kinship)
    train = len([name for name in splits.get("train", ()) if name in settled and name not in followed])
    drawn = _drawn(left, parts, train, rng, kinship, boxes or {})
    settled.update(drawn)
    if found := leaks(settled, kinship):
        raise LeakError(found)
    roles = {role: tuple(sorted(name for name, own in settled.items() if own == role)) for role in ROLES}
    if not roles["train"]:
        raise ValueError("no image is left in train")
    told = {*settled, *left_out, *spare}
    unused = {split: tuple(sorted(set(names) - told)) for split, names in splits.items()}
    return Assignment(roles, {split: names for split, names in unused.items() if names}, followed, left_out, spare)


def _free_of_pool(settled: Mapping[str, str], kinship: Kinship) -> list[str]:
    """Return the names of train that may be drawn from: no copy of a sheet in the pool, and nobody of its group."""
    free = [unit for unit in kinship.units(sorted(settled)) if all(settled[name] != "pool" for name in unit)]
    return sorted(name for unit in free for name in unit if settled[name] == "train")


def _drawn(
    left: Sequence[str],
    parts: Mapping[str, RolePart],
    train: int,
    rng: np.random.Generator,
    kinship: Kinship,
    boxes: Mapping[str, NDArray[np.int64]],
) -> dict[str, str]:
    """Return the roles of the images that are drawn out of `left`; `train` is what shares are shares of."""
    targets = {role: max(1, round(part.share * train)) for role, part in parts.items() if part.share is not None}
    if not targets:
        return {}
    if sum(targets.values()) > len(left):
        raise ValueError(f"no image is left in train, or only {len(left)} share no sheet or group with the pool")
    units = kinship.units(sorted(left))
    classes = max((len(counts) for counts in boxes.values()), default=0)
    none = np.zeros((1, classes), np.int64)
    table = np.vstack([none.sum(axis=0) + sum(boxes.get(name, none[0]) for name in unit) for unit in units])
    sizes = np.array([len(unit) for unit in units])
    names = list(targets)
    chosen = draw_units(sizes, table, [targets[role] for role in names], rng)
    return {name: names[role] for unit, role in zip(units, chosen, strict=True) if role >= 0 for name in unit}


def leaks(role_of: Mapping[str, str], kinship: Kinship) -> list[Leak]:
    """Return one leak per unit and side that it should not be on; a role that is not in SIDES is one to fit on."""
    found = []
    for unit in kinship.units(sorted(role_of)):
        first = {SIDES.get(role_of[name], "fit"): name for name in reversed(unit)}
        side = next(side for side in ("val", "test", "fit") if side in first)
        kept = first[side]
        found += [
            Leak(kept, role_of[kept], name, role_of[name]) for other, name in sorted(first.items()) if other != side
        ]
    return found


def _settled(role_of: Mapping[str, str], kinship: Kinship) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Return the roles with each unit on one side, and the names that followed, and that were left out for it."""
    copies = {name: number for number, names in enumerate(kinship.copies) for name in names}
    settled, followed, left_out = dict(role_of), [], []
    for unit in kinship.units(sorted(role_of)):
        sides = {SIDES[role_of[name]] for name in unit}
        side = next(side for side in ("val", "test", "fit") if side in sides)
        if len(sides) == 1:
            continue
        kept = {copies[name] for name in unit if SIDES[role_of[name]] == side and name in copies}
        for name in (name for name in unit if SIDES[role_of[name]] != side):
            if copies.get(name) in kept:
                left_out.append(name)
                del settled[name]
            else:
                followed.append(name)
                settled[name] = side
    return settled, tuple(sorted(followed)), tuple(sorted(left_out))


def _with_defaults(splits: Mapping[str, Sequence[str]], wanted: Mapping[str, RolePart]) -> dict[str, RolePart]:
    taken = {part.split for part in wanted.values()}
    defaults = {role: RolePart(split=role) for role in ROLES[1:] if role in splits and role not in taken}
    return {role: wanted.get(role, defaults.get(role, RolePart())) for role in ROLES[1:]}


def _refuse_overlap(roles: Mapping[str, set[str]]) -> None:
    seen: dict[str, str] = {}
    for role, names in roles.items():
        for name in sorted(names):
            if name in seen:
                raise ValueError(f"{name} would be in {seen[name]} and in {role}")
            seen[name] = role
