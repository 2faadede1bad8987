"""Finds out which sheet of the packet each sheet of an export is, and how it lies in what came back.

The content decides: the hash that a tool carried along, the bytes of the picture, or what is to be seen on it. A name
is taken where nothing else is there, and must not say another sheet than the picture does.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import problem
from stages.dataset.sheets.manifest import file_sha256
from stages.firewall.copies import Fingerprint
from stages.firewall.fingerprinting import fingerprint_file
from stages.firewall.kinship import fingerprints
from stages.firewall.signatures import copies
from stages.formats.source_sheets import FRACTIONS
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.returned_boxes import ReturnedSheet
from stages.review.identity.other_sheets import Known
from stages.review.identity.placing import Pictures, place_by_frame, place_by_picture, read_grey
from stages.review.identity.resizing import Grey, Placement
from stages.review.identity.tool_names import Names, stem_of
from stages.wording.quantities import some

_RULERS = ("val", "test")


class Match(NamedTuple):
    """A sheet of an export, the sheet of the packet that it is, and how that lies in the frame of its boxes."""

    returned: ReturnedSheet
    sheet: PacketSheet
    placement: Placement
    pixel: float  # px of the sheet that a pixel of what the tool had covers, 1 or more


class Identified(NamedTuple):
    """What an export holds: sheets of the packet in its order, and sheets of train, which were reviewed before.

    `unseen` counts the matches that came without a picture, with boxes in fractions: of the whole sheet, one hopes.
    """

    matches: tuple[Match, ...]
    passed_over: tuple[Known, ...]
    unseen: int


def identify(packet: Packet, returned: Sequence[ReturnedSheet], others: Sequence[Known]) -> Identified:
    """Return which sheet each one of `returned` is.

    Raises `UserError` for a sheet of val or test or a copy of one, any other sheet that is not in the packet, a sheet
    that comes twice, a name and a picture that contradict each other, and a picture that was turned or cut.
    """
    finder = _Finder(packet, others)
    _require_once([(one, one.name, stem_of(one.name)) for one in returned if one.name])
    found = [(one, finder.meant(one)) for one in returned]
    nameless = [one for one, meant in found if meant is None]
    sheets = [(one, meant) for one, meant in found if isinstance(meant, PacketSheet)]
    _require_once([(one, sheet.image_id, sheet.image_id) for one, sheet in sheets])
    if nameless:
        taken = {sheet.image_id for _, sheet in sheets}
        raise _nameless(nameless, [sheet.image_id for sheet in packet.sheets if sheet.image_id not in taken])
    matches = [finder.match(one, sheet) for one, sheet in sheets]
    return Identified(
        tuple(sorted(matches, key=lambda match: match.sheet.order)),
        tuple(known for _, known in found if isinstance(known, Known)),
        sum(_unseen(match.returned) for match in matches),
    )


def _unseen(one: ReturnedSheet) -> bool:
    return one.image is None and one.frame == FRACTIONS and not one.sha256


class _Finder:
    """Knows the sheets of the packet and the others, by content and by name."""

    def __init__(self, packet: Packet, others: Sequence[Known]) -> None:
        self._packet = packet
        self._pictures = Pictures(packet)
        # Where two sheets share a name or content, that of the packet is meant: it comes last.
        self._sheets: list[PacketSheet | Known] = [*others, *packet.sheets]
        self._named = {sheet.image_id: sheet for sheet in self._sheets}
        self._alike: dict[str, list[PacketSheet | Known]] = {}  # by content, that of the packet first
        for sheet in reversed(self._sheets):
            self._alike.setdefault(sheet.sha256, []).append(sheet)
        self._digests: dict[Path, str] = {}  # of the pictures that came: each is read once
        self._names = Names(self._named)
        self._known = {known.image_id: known for known in others}
        self._own = _Kin({sheet.image_id: packet.image(sheet) for sheet in packet.sheets})
        self._kin = [
            _Kin({known.image_id: known.image for known in others if known.split in splits})
            for splits in (_RULERS, ("train", "pool"))
        ]

    def meant(self, one: ReturnedSheet) -> PacketSheet | Known | None:
        """Return the sheet that `one` is, None for an unknown name without a picture; raises as `identify` does."""
        named = [self._named[name] for name in self._names.meant(one.name)]
        same = self._same_content(one.sha256) if one.sha256 else []
        if one.sha256 and not same:
            raise self._stranger(one)
        if not same and one.image is not None:
            same = self._same_content(self._digest(one.image))
            if same and len(named) == 1 and named[0] not in same:
                raise self._mixed_up(one, named[0], same[0])
        if same:
            return self._allowed(one, next((sheet for sheet in same if sheet in named), same[0]))
        if len(named) == 1:
            return self._allowed(one, named[0])
        return None if one.image is None else self._seen(one, read_grey(one.image), one.image)

    def match(self, one: ReturnedSheet, sheet: PacketSheet) -> Match:
        """Return how `sheet` lies in the frame of `one`; raise `UserError` when its picture shows something else."""
        if one.image is None:
            return Match(one, sheet, *place_by_frame(one, sheet))
        if self._digest(one.image) == sheet.sha256:
            return Match(one, sheet, *place_by_picture(one, sheet, None, []))
        grey = read_grey(one.image)
        ways = self._pictures.ways(sheet, grey)
        if not ways:
            raise self._another_picture(one, sheet, grey, one.image)
        return Match(one, sheet, *place_by_picture(one, sheet, grey, ways))

    def _same_content(self, sha256: str) -> list[PacketSheet | Known]:
        return self._alike.get(sha256, [])

    def _digest(self, image: Path) -> str:
        if image not in self._digests:
            self._digests[image] = file_sha256(image)
        return self._digests[image]

    def _allowed(self, one: ReturnedSheet, sheet: PacketSheet | Known) -> PacketSheet | Known:
        if isinstance(sheet, PacketSheet) or sheet.split == "train":
            return sheet
        raise _forbidden(one, sheet) if sheet.split in _RULERS else self._stranger(one)

    def _seen(self, one: ReturnedSheet, grey: Grey, image: Path) -> PacketSheet | Known:
        """Return the sheet that a picture shows, whose name says nothing."""
        hits = self._pictures.fitting(grey)
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise problem("sheet_identity.picture_sheet", one.where, names=some([sheet.image_id for sheet in hits]))
        copy = self._copy(image)
        if copy is not None:
            return self._allowed(one, copy)
        changed = self._changed(image)
        raise self._stranger(one) if changed is None else _changed_picture(one, changed)

    def _copy(self, image: Path) -> Known | None:
        """Return the sheet outside of the packet that a picture is a copy of; val and test come first."""
        names = (kin.of(image) for kin in self._kin)
        return next((self._known[name] for name in names if name is not None), None)

    def _changed(self, image: Path) -> PacketSheet | None:
        """Return the sheet of the packet of which a picture shows a part, or that it shows turned."""
        name = self._own.of(image)
        return next((sheet for sheet in self._packet.sheets if sheet.image_id == name), None)

    def _another_picture(self, one: ReturnedSheet, sheet: PacketSheet, grey: Grey, image: Path) -> Exception:
        """Return why the picture of `one` is not that of `sheet`, which it is called by."""
        hits = self._pictures.fitting(grey)
        if hits:
            return self._mixed_up(one, sheet, hits[0])
        if self._changed(image) == sheet:
            return _changed_picture(one, sheet)
        copy = self._copy(image)
        if copy is not None:
            return _forbidden(one, copy) if copy.split in _RULERS else self._mixed_up(one, sheet, copy)
        expected = f"a picture of {self._file(sheet)}, as the name says"
        return problem("sheet_identity.another", one.where, expected=expected)

    def _mixed_up(self, one: ReturnedSheet, named: PacketSheet | Known, shown: PacketSheet | Known) -> Exception:
        return problem("sheet_identity.picture_name_says", one.where, file=self._file(named), file_2=self._file(shown))

    def _file(self, sheet: PacketSheet | Known) -> Path:
        return sheet.image if isinstance(sheet, Known) else self._packet.image(sheet)

    def _stranger(self, one: ReturnedSheet) -> Exception:
        return problem(
            "sheet_identity.sheet_packet_iteration",
            one.where,
            packet_id=self._packet.packet_id,
            iteration=self._packet.iteration,
            name=one.name,
        )


class _Kin:
    """Finds of which of many sheets, by name, a picture is a copy: turned, cropped, resized, in other colours.

    Fingerprints are taken once, and only if somebody asks.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._prints: dict[str, Fingerprint] | None = None

    def of(self, image: Path) -> str | None:
        """Return the name of a sheet that the picture is a copy of, or None; raise `UserError` when it is damaged."""
        if self._prints is None:
            self._prints = fingerprints(self._files)
        pairs = copies({"": fingerprint_file(image)}, self._prints)
        return pairs[0][1] if pairs else None


def _require_once(found: Sequence[tuple[ReturnedSheet, str, str]]) -> None:
    """Raise `UserError` when two sheets of an export, each with what it is called, share the third: their identity."""
    seen: dict[str, ReturnedSheet] = {}
    for one, name, identity in found:
        other = seen.setdefault(identity, one)
        if other is not one:
            raise problem("sheet_identity.every_sheet_once", one.where, name=name, where_=other.where)


def _forbidden(one: ReturnedSheet, known: Known) -> Exception:
    return problem("sheet_identity.sheet_val_test", one.where, name=one.name, image=known.image)


def _changed_picture(one: ReturnedSheet, sheet: PacketSheet) -> Exception:
    return problem("sheet_identity.went_out", one.where, image_id=sheet.image_id)


def _nameless(found: Sequence[ReturnedSheet], rest: Sequence[str]) -> Exception:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return problem(
        "sheet_identity.without_picture",
        found[0].where,
        expected=f"the name of a sheet of the packet ({some(rest)} did not come back)" if rest else "no further sheet",
        name=found[0].name,
        more=more,
    )
