"""What a change of the classes means: the new list, what every box becomes, and which classes mean what they meant.

A class_id is a place in the list. So `add` appends, `rename` and `split` keep the place, and `merge` takes the first
place of those that it merges: as few ids as can be change.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stages.base.errors import problem
from stages.base.params import PARAMS, TAKEN, is_plain_name
from stages.prompts.texts.prompt_file import PROMPTS, Prompts


class ClassChange(NamedTuple):
    """From the classes `old` to the classes `new`, both in the order of their ids."""

    what: str  # the change in words: `Rename class detail to callout`
    old: tuple[str, ...]
    new: tuple[str, ...]
    becomes: Mapping[str, str]  # old class -> the new one that its boxes get; one that no box may have is not in it
    same: Mapping[str, str]  # old class -> new one, where that is what it was, whatever it is called
    sources: Mapping[str, tuple[str, ...]]  # new class -> old ones that its weights may come from; none: it is fresh
    prompts: Prompts  # of the new classes
    doubtful: tuple[str, ...] = ()  # classes of which a person has to tell which of the boxes are theirs

    @property
    def ids(self) -> tuple[int | None, ...]:
        """The new class_id of every old one, in the order of the old ones; None for one that no box may have."""
        return tuple(self.new.index(self.becomes[name]) if name in self.becomes else None for name in self.old)

    @property
    def is_renaming(self) -> bool:
        """Whether every class stays what it was, so that every number stays what it meant."""
        return len(self.same) == len(self.old) == len(self.new)


def added(classes: Sequence[str], prompts: Prompts, name: str, texts: Sequence[str] = ()) -> ClassChange:
    """Return the change that appends `name`, told by `texts` (by default its name).

    Raises `UserError` for a name or a text that is taken; so do the others.
    """
    _require_free(name, classes)
    same = {one: one for one in classes}
    told = {**prompts, name: _texts(texts) or (name,)}
    return _checked(ClassChange(f"Add class {name}", tuple(classes), (*classes, name), same, same, _own(same), told))


def renamed(classes: Sequence[str], prompts: Prompts, old: str, new: str) -> ClassChange:
    """Return the change that calls `old` `new`; its texts stay, and so does what was learned."""
    _require_known([old], classes)
    _require_free(new, classes)
    same = {one: new if one == old else one for one in classes}
    told = {same[one]: texts for one, texts in prompts.items()}
    listed = tuple(same.values())
    return ClassChange(f"Rename class {old} to {new}", tuple(classes), listed, same, same, _own(same), told)


def merged(
    classes: Sequence[str], prompts: Prompts, names: Sequence[str], into: str, texts: Sequence[str] = ()
) -> ClassChange:
    """Return the change that makes the classes `names` one, `into`, told by `texts` (by default by those of all)."""
    merging = tuple(dict.fromkeys(names))
    _require_known(merging, classes)
    if len(merging) < 2:
        raise problem("class_change.too_few_merged", "yoloop classes merge", found=", ".join(merging))
    if into in classes and into not in merging:
        raise problem("class_change.into_another", f"--into {into}", into=into, names=" ".join(merging))
    if into not in classes:
        _require_free(into, classes)
    becomes = {one: into if one in merging else one for one in classes}
    same = {one: one for one in classes if one not in merging}
    union: dict[str, str] = {}
    for text in (text for name in merging for text in prompts[name]):
        union.setdefault(text.casefold(), text)
    told = {one: prompts[one] for one in same} | {into: _texts(texts) or tuple(union.values())}
    listed = tuple(dict.fromkeys(becomes.values()))
    sources = {**_own(same), into: tuple(one for one in classes if one in merging)}
    what = f"Merge classes {', '.join(merging)} into {into}"
    return _checked(ClassChange(what, tuple(classes), listed, becomes, same, sources, _ordered(told, listed)))


def split_up(classes: Sequence[str], prompts: Prompts, name: str, into: Sequence[str]) -> ClassChange:
    """Return the change that makes `name` the classes `into`: its boxes and texts go to the first of them.

    The first one stands where `name` stood, the others at the end. Only the first may be called `name`.
    """
    _require_known([name], classes)
    parts = tuple(dict.fromkeys(into))
    if len(parts) < 2:
        raise problem("class_change.too_few_parts", "yoloop classes split", found=", ".join(parts) or "none", name=name)
    if name in parts[1:]:
        raise problem("class_change.name_not_first", f"--into {name}", name=name)
    for part in parts:
        if part != name:
            _require_free(part, classes)
    first, *others = parts
    becomes = {one: first if one == name else one for one in classes}
    same = {one: one for one in classes if one != name}
    told = {becomes[one]: texts for one, texts in prompts.items()} | {one: (one,) for one in others}
    sources = {**_own(same), **dict.fromkeys(parts, (name,))}
    what = f"Split class {name} into {', '.join(parts)}"
    listed = (*becomes.values(), *others)
    return _checked(ClassChange(what, tuple(classes), listed, becomes, same, sources, told, (first,)))


def removed(classes: Sequence[str], prompts: Prompts, name: str) -> ClassChange:
    """Return the change that takes `name` out, which no box may have."""
    _require_known([name], classes)
    if len(classes) == 1:
        raise problem("class_change.last_class", PARAMS, name=name)
    same = {one: one for one in classes if one != name}
    told = {one: prompts[one] for one in same}
    return ClassChange(f"Remove class {name}", tuple(classes), tuple(same), same, same, _own(same), told)


def row_sources(change: ClassChange, boxes: Mapping[str, int]) -> dict[str, str | None]:
    """Return for each new class the old one whose row of the class branch it takes; None: it gets a fresh one.

    Of merged classes that is the one with most boxes in train, given by `boxes`: a row is a direction, no row is as
    high as the higher of two, and the mean of two would be neither.
    """
    rows: dict[str, str | None] = {}
    for name in change.new:
        of = change.sources.get(name, ())
        rows[name] = max(of, key=lambda one: (boxes.get(one, 0), -change.old.index(one))) if of else None
    return rows


def _own(same: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {new: (old,) for old, new in same.items()}


def _ordered(told: Prompts, names: Sequence[str]) -> Prompts:
    return {name: told[name] for name in names}


def _texts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts)


def _require_known(names: Sequence[str], classes: Sequence[str]) -> None:
    for name in names:
        if name not in classes:
            raise problem("class_change.unknown_class", PARAMS, classes=", ".join(classes), name=name)


def _require_free(name: str, classes: Sequence[str]) -> None:
    if name in classes:
        raise problem("class_change.taken_name", PARAMS, name=name)
    plain = " ".join(name.split())
    if not name or name != plain or name in TAKEN or not is_plain_name(name):
        raise problem("class_change.bad_name", "NAME", taken=" or ".join(TAKEN), found=repr(name))


def _checked(change: ClassChange) -> ClassChange:
    """Raise `UserError` for an empty text, and for one that two classes are told by: no model could tell them apart."""
    seen: dict[str, str] = {}
    for name, texts in change.prompts.items():
        for text in texts:
            key = text.casefold()
            if not key or key in seen:
                found = f"that of '{seen[key]}' for '{name}' as well" if key else f"an empty one for '{name}'"
                raise problem("class_change.text_taken", PROMPTS, text=text, found=found)
            seen[key] = name
    return change
