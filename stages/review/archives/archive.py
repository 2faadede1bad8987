"""Unpacks the archive that a tool exported: ZIP, or tar, also compressed; what could do harm is refused.

An export comes from outside, perhaps by mail. A member must be a plain file or folder with a name that stays inside of
the folder on every computer. Sizes are counted while they are written: what a header claims is only a first hint.
"""

import bz2
import gzip
import lzma
import re
import secrets
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from stages.base.errors import UserError, problem
from stages.dataset.folder_depth import DEEPEST, folders_in
from stages.review.archives.forward_stream import Forward

_ENDINGS = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".bz2", ".xz")
_OTHERS = {b"Rar!": "RAR", b"7z\xbc\xaf": "7z"}  # they need a program of their own
_COMPRESSED: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_TAR_MAGIC = slice(257, 262)
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)
_DAMAGED = (*_BROKEN, EOFError, OSError, NotImplementedError, ValueError)
_CHUNK = 1 << 20
_LONGEST = 255  # bytes of a part of a name that file systems take
_LONGEST_PATH = 1000  # bytes of a whole name: with the project's own path below what systems take (1,024 on a Mac)
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}  # kinds of letters that would break a line of text, or are none
_UTF8 = 0x800  # flag of a ZIP member whose name is marked as UTF-8
_ENCRYPTED = 0x1
_OF_A_MAC = ("__MACOSX", ".DS_Store")  # what a Mac adds to every ZIP


class Limits(NamedTuple):
    """How large an unpacked export may be."""

    files: int = 100_000  # with one label file for each of 50,000 sheets: no project that a person reviews has more
    size: int = 50 << 30  # bytes: 10,000 sheets of 5 MB
    ratio: int = 100  # unpacked size / size of the archive: text reaches 20 to 30, pictures 1
    ratio_from: int = 200 << 20  # bytes from which the ratio counts: a few blank sheets do no harm


LIMITS = Limits()


class Member(NamedTuple):
    """A member of an archive: its name as it is written there, the size that it claims, and its content."""

    name: str
    size: int
    stream: IO[bytes] | None  # None: a folder


def is_archive(path: Path) -> bool:
    """Say whether `path` is a file that has to be unpacked, by its first bytes or else by its name."""
    return path.is_file() and bool(_kind(path) or path.name.lower().endswith(_ENDINGS))


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS) -> None:
    """Unpack `archive` into the new folder `folder`.

    Raises `UserError`, with nothing left behind, for a damaged or encrypted archive, a member that is neither a file
    nor a folder, a name that leads elsewhere or that another member has as well, and more than `limits`.
    """
    folder.mkdir(parents=True)
    try:
        _unpack(archive, folder, limits)
    except BaseException as error:
        remove_tree(folder)
        if not isinstance(error, _DAMAGED):
            raise
        found = " ".join(str(error).split())[:100] or type(error).__name__
        raise problem("archive.whole_zip_tar", archive, found=found) from error


def remove_tree(folder: Path) -> None:
    """Delete `folder` with all that is in it, however deep; what may not be deleted stays."""
    rest = [folder]
    with suppress(OSError):
        while rest:
            for inner in _folders_at(rest.pop(), DEEPEST):  # moved up, where it is no longer deep
                rest.append(inner.rename(folder / f"removed-{secrets.token_hex(8)}"))
    shutil.rmtree(folder, ignore_errors=True)


def _folders_at(folder: Path, depth: int) -> list[Path]:
    level = [folder]
    for _ in range(depth):
        level = [inner for outer in level for inner in folders_in(outer)]
    return level


def _unpack(archive: Path, folder: Path, limits: Limits) -> None:
    seen: dict[str, str] = {}
    left = Budget(archive, folder, limits)
    for member in _members(archive):
        parts = _parts(archive, member.name)
        left.claim(member)  # also of what is passed over: it is unpacked to get past it
        if not parts or parts[0] in _OF_A_MAC or parts[-1] in _OF_A_MAC or parts[-1].startswith("._"):
            continue
        place = folder.joinpath(*parts)
        if member.stream is None:
            place.mkdir(parents=True, exist_ok=True)
            continue
        key = unicodedata.normalize("NFC", "/".join(parts)).casefold()
        if key in seen:
            raise _refused(
                archive, member.name, "every name once, on computers that ignore capitals as well", seen[key]
            )
        seen[key] = member.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as target:
            while data := member.stream.read(_CHUNK):
                left.spend(member, len(data))
                target.write(data)


def _kind(archive: Path) -> str:
    """Return what an archive is by its first bytes: zip, tar, a program's name, or ""."""
    with archive.open("rb") as file:
        start = file.read(512)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if start.startswith(tuple(_COMPRESSED)) or start[_TAR_MAGIC] == b"ustar":
        return "tar"
    return next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "")


def _members(archive: Path) -> Iterator[Member]:
    kind = _kind(archive)
    if kind in _OTHERS.values():
        raise problem("archive.zip_tar_archive", archive, kind=kind)
    yield from _of_zip(archive) if kind == "zip" else _of_tar(archive)


def _of_zip(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            name = _name(info)
            mode = stat.S_IFMT(info.external_attr >> 16)
            if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(archive, name, "files and folders", "a link or a device")
            if info.flag_bits & _ENCRYPTED:
                mend = "Export it without a password, or unpack it yourself and give the folder."
                raise _refused(archive, name, "an archive without a password", "encrypted content", mend)
            if name.endswith(("/", "\\")):
                yield Member(name, 0, None)
                continue
            with file.open(info) as stream:
                yield Member(name, info.file_size, stream)


def _name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; a Mac writes UTF-8 without marking it, which is then read as the letters of DOS."""
    try:
        return info.orig_filename.encode("cp437").decode() if not info.flag_bits & _UTF8 else info.orig_filename
    except ValueError:
        return info.orig_filename


def _of_tar(archive: Path) -> Iterator[Member]:
    with archive.open("rb") as raw:
        start = raw.read(6)
        raw.seek(0)
        reader = next((kind for magic, kind in _COMPRESSED.items() if start.startswith(magic)), None)
        plain = cast(IO[bytes], raw if reader is None else reader(raw))
        with tarfile.open(fileobj=cast(IO[bytes], Forward(plain)), mode="r:") as file:
            for info in file:
                if not (info.isreg() or info.isdir()) or info.issparse():
                    raise _refused(archive, info.name, "files and folders", "a link or a device")
                yield Member(info.name, info.size, file.extractfile(info) if info.isreg() else None)


class Budget:
    """Counts what is unpacked from an archive into a folder, and refuses what goes beyond the limits."""

    def __init__(self, archive: Path, folder: Path, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._files = self._size = 0
        in_ratio = max(limits.ratio_from, limits.ratio * archive.stat().st_size)
        self._most = min(limits.size, in_ratio, shutil.disk_usage(folder).free // 2)

    def claim(self, member: Member) -> None:
        """Look at what the header of a member says before anything of it is unpacked."""
        self._files += 1
        if self._files > self._limits.files:
            raise self._too_much(member, f"at most {self._limits.files} files")
        self._require(member, self._size + member.size)

    def spend(self, member: Member, size: int) -> None:
        """Count what was really unpacked."""
        self._size += size
        self._require(member, self._size)

    def _require(self, member: Member, size: int) -> None:
        if size > self._most:
            raise self._too_much(member, f"at most {self._most >> 20} MB from an archive of this size, or on this disk")

    def _too_much(self, member: Member, expected: str) -> UserError:
        mend = "If it is what you exported, unpack it yourself and give the folder."
        return _refused(self._archive, member.name, expected, "more", mend)


def _parts(archive: Path, name: str) -> tuple[str, ...]:
    """Return the parts of a member's path, which stay inside of the folder; raise `UserError` for another name."""
    plain = name.replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if {unicodedata.category(letter) for letter in plain} & _UNSEEN or any(
        len(part.encode(errors="replace")) > _LONGEST for part in parts
    ):
        raise _refused(archive, name, "names that every computer can write", "another one")
    if plain.startswith("/") or re.match(r"[A-Za-z]:", plain) or ".." in parts:
        raise _refused(archive, name, "names inside of the archive's own folder", "one that leads out of it")
    if len(parts) > DEEPEST + 1 or len(plain.encode(errors="replace")) > _LONGEST_PATH:
        expected = f"at most {DEEPEST} folders in each other, and {_LONGEST_PATH} bytes in a path"
        raise _refused(archive, name, expected, "more")
    return parts


def _refused(archive: Path, name: str, expected: str, found: str, mend: str = "") -> UserError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)[:120]
    default = "Do not trust it: export again, and give that archive."
    return problem("archive.refused", f"{archive}, {shown}", expected=expected, found=found, mend=mend or default)
