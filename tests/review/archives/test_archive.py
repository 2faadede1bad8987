"""Unpacking: what a tool exported comes out as it went in; what could do harm is refused, and leaves nothing behind."""

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.review.archives.archive import LIMITS, Budget, Limits, Member, is_archive, remove_tree, unpack
from stages.review.archives.forward_stream import Forward, LongReadError
from tests.review.exports import nested

FILES = {"data.yaml": b"names: [a]\n", "images/möbel 1.jpg": bytes(range(256)) * 900, "labels/möbel 1.txt": b""}
SMALL = Limits(files=5, size=100_000, ratio=10, ratio_from=1000)


def zipped(file: Path, files: dict[str, bytes], **change: object) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in change.items():
                setattr(info, key, value)
            archive.writestr(info, data)
    return file


def tarred(file: Path, files: dict[str, bytes], mode: str = "w", **change: object) -> Path:
    with tarfile.open(file, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in change.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return file


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(archive: Path, limits: Limits = LIMITS) -> str:
    target = archive.parent / "unpacked"
    with pytest.raises(UserError) as caught:
        unpack(archive, target, limits)
    assert not target.exists()
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(archive))
    return line


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_everything_comes_out(tmp_path: Path, mode: str) -> None:
    archive = tmp_path / "export"
    made = zipped(archive, FILES) if mode == "zip" else tarred(archive, FILES, mode)
    assert is_archive(made)
    unpack(made, tmp_path / "unpacked")
    assert content(tmp_path / "unpacked") == FILES


def test_what_a_mac_adds_is_left_out_and_its_names_are_read(tmp_path: Path) -> None:
    """Finder writes UTF-8 and does not say so."""
    mac = zipped(
        tmp_path / "mac.zip", {"m\u00f6bel.txt": b"x", "__MACOSX/._m.txt": b"", "a/.DS_Store": b"", "a/._b": b""}
    )
    data = mac.read_bytes()
    for flags in (b"PK\x03\x04\x14\x00\x00\x08", b"PK\x01\x02\x14\x03\x14\x00\x00\x08"):
        assert flags in data
        data = data.replace(flags, flags[:-1] + b"\x00")
    mac.write_bytes(data)
    unpack(mac, tmp_path / "unpacked")
    assert content(tmp_path / "unpacked") == {"m\u00f6bel.txt": b"x"}


def test_folders_written_by_windows(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "w.zip", {"a\\": b"", "a\\b.txt": b"x"}), tmp_path / "unpacked")
    assert content(tmp_path / "unpacked") == {"a/b.txt": b"x"}


NAMES = [
    "../a.txt",
    "images/../../a.txt",
    "..\\a.txt",
    "/etc/a.txt",
    "\\a.txt",
    "C:\\a.txt",
    "c:a.txt",
]


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_out(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    line = refusal(make(tmp_path / "a", {"good.txt": b"x", name: b"x"}))
    assert f", {name}: expected names inside of the archive's own folder" in line


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "x" * 256])
def test_names_that_no_line_can_show(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    assert "names that every computer can write" in refusal(make(tmp_path / "a", {name: b"x"}))


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", ["a/" * 1600 + "b", f"{'x' * 250}/" * 20 + "b", "a/" * 31 + "b"])
def test_folders_in_folders_in_folders(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    line = refusal(make(tmp_path / "x", {"a.txt": b"", name: b""}))
    assert "expected at most 30 folders in each other, and 1000 bytes in a path, found" in line
    assert len(line) < 500
    unpack(make(tmp_path / "y", {"a/" * 30 + "b": b""}), tmp_path / "good")
    assert len(content(tmp_path / "good")) == 1


def test_what_nobody_can_reach_by_its_path_is_removed(tmp_path: Path) -> None:
    """Deeper than a path may be long, and than there are file descriptors."""
    (tmp_path / "top/beside").mkdir(parents=True)
    (tmp_path / "top/beside/file").touch()
    with nested(tmp_path / "top", 1200):
        remove_tree(tmp_path / "top")
        remove_tree(tmp_path / "never was")
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("names", [("a.txt", "A.txt"), ("i/m\u00f6.txt", "I/mo\u0308.txt"), ("a/b.txt", "a//b.txt")])
def test_two_members_of_one_name(tmp_path: Path, make: Callable[..., Path], names: tuple[str, str]) -> None:
    line = refusal(make(tmp_path / "a", dict.fromkeys(names, b"x")))
    assert f", {names[1]}: expected every name once" in line
    assert f"found {names[0]}." in line


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    assert "expected a whole ZIP or tar archive" in refusal(zipped(tmp_path / "a.zip", {"a": b"x", "a/b": b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar(tmp_path: Path, kind: bytes) -> None:
    archive = tarred(tmp_path / "a.tar", {"link": b""}, type=kind, linkname="/etc/passwd")
    assert ", link: expected files and folders, found a link or a device" in refusal(archive)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_zip(tmp_path: Path, kind: int) -> None:
    archive = zipped(tmp_path / "a.zip", {"link": b"/etc/passwd"}, external_attr=(kind | 0o777) << 16, create_system=3)
    assert ", link: expected files and folders, found a link or a device" in refusal(archive)


def test_a_password(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.txt": b"x"})
    data = archive.read_bytes()
    central = data.index(b"PK\x01\x02") + 8
    archive.write_bytes(data[:6] + b"\x01" + data[7:central] + b"\x01" + data[central + 1 :])
    assert ", a.txt: expected an archive without a password" in refusal(archive)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_too_many_files(tmp_path: Path, make: Callable[..., Path]) -> None:
    names = {f"{number}.txt": b"" for number in range(6)}
    assert ", 5.txt: expected at most 5 files, found more" in refusal(make(tmp_path / "a", names), SMALL)


@pytest.mark.parametrize("mode", ["zip", "w:gz", "w:bz2", "w:xz"])
def test_a_bomb(tmp_path: Path, mode: str) -> None:
    """Within the size, beyond what any export gains by packing."""
    files = {"a.txt": bytes(90_000)}
    archive = zipped(tmp_path / "a", files) if mode == "zip" else tarred(tmp_path / "a", files, mode)
    assert ", a.txt: expected at most 0 MB" in refusal(archive, SMALL)
    unpack(archive, tmp_path / "unpacked", SMALL._replace(ratio_from=90_000))


def test_a_large_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out, out.open("zeros.txt", "w") as member:
        for _ in range(300):
            member.write(bytes(1 << 20))
    assert archive.stat().st_size < 400_000
    assert ", zeros.txt: expected at most 200 MB" in refusal(archive)


def test_the_whole_counts_not_each_file(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "a.tar", {"a": os.urandom(60_000), "b": os.urandom(60_000)})
    assert ", b: expected at most" in refusal(archive, SMALL)


def test_what_is_written_is_counted_whatever_the_header_claims(tmp_path: Path) -> None:
    """Python's own reader stops at the claimed size; the count would hold for another one as well."""
    archive = zipped(tmp_path / "a.zip", {"a.txt": bytes(90_000)})
    budget, member = Budget(archive, tmp_path, SMALL), Member("a.txt", 9, io.BytesIO())
    budget.claim(member)
    budget.spend(member, 1000)
    with pytest.raises(UserError, match=r"a.zip, a.txt: expected at most 0 MB"):
        budget.spend(member, 90_000)
    data = archive.read_bytes().replace((90_000).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    archive.write_bytes(data)
    assert "Bad CRC-32" in refusal(archive, SMALL)


def test_a_header_that_claims_gigabytes_of_notes(tmp_path: Path) -> None:
    """tarfile would read them all into memory."""
    archive = tarred(tmp_path / "a.tar.gz", {"a.txt": b"x"}, "w:gz", type=tarfile.XHDTYPE, size=1 << 32)
    assert "a header that asks for" in refusal(archive)


def test_a_stream_goes_only_forward_and_in_small_steps() -> None:
    stream = Forward(io.BytesIO(bytes(3 << 20)))
    stream.seek(2 << 20)
    assert (stream.tell(), len(stream.read(10))) == (2 << 20, 10)
    with pytest.raises(LongReadError, match="back"):
        stream.seek(5)
    with pytest.raises(LongReadError, match="asks for"):
        stream.read(1 << 30)
    stream.seek(9 << 20)
    assert (stream.tell(), stream.read(1)) == (3 << 20, b"")


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_damage_anywhere_is_one_line(tmp_path: Path, mode: str) -> None:
    """Random damage: either it is refused, or everything that comes out is a plain file inside of the folder."""
    archive = tmp_path / "a"
    whole = (zipped(archive, FILES) if mode == "zip" else tarred(archive, FILES, mode)).read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    for number in range(40):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=3):
            damaged[place] ^= 1 << int(rng.integers(8))
        archive.write_bytes(damaged if number % 2 else damaged[: rng.integers(1, len(whole))])
        try:
            unpack(archive, tmp_path / str(number))
        except UserError as error:
            refused.append(str(error))
    assert len(refused) >= 15
    assert not [line for line in refused if "\n" in line]
    assert len(list(tmp_path.iterdir())) == 1 + 40 - len(refused)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.zip", b"hello", "expected a whole ZIP or tar archive"),
        ("a.tar.gz", b"", "expected a whole ZIP or tar archive"),
        ("a.rar", b"Rar!\x1a\x07", "found a RAR archive. Export it as ZIP"),
        ("a", b"7z\xbc\xaf\x27\x1c", "found a 7z archive. Export it as ZIP"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert is_archive(tmp_path / name)
    assert says in refusal(tmp_path / name)


@pytest.mark.parametrize("data", [b"{}", b"\x80\x04]\x94.", b""])
def test_other_files_are_not_unpacked(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "export.json").write_bytes(data)
    assert not is_archive(tmp_path / "export.json")
    assert not is_archive(tmp_path)
