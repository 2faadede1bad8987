"""All that lies in a folder, to see that a command leaves it byte for byte: Git's and DVC's own folders, logs, all."""

from hashlib import sha256
from pathlib import Path


def everything(root: Path) -> dict[str, tuple[str, int]]:
    """Return every file, folder and link under `root`: its kind with the digest of its content, and when it changed."""
    return {str(path.relative_to(root)): (_content(path), path.lstat().st_mtime_ns) for path in sorted(root.rglob("*"))}


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return f"file {sha256(path.read_bytes()).hexdigest()}" if path.is_file() else "folder"
