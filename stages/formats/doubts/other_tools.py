"""Recognises files of tools whose own format is not read, so that the refusal can say what to export in its place."""

from pathlib import Path

_LOOKED_AT = 65536  # bytes at the start of a file
_FEW = 20  # files that are looked at
# What a tool's own file has in it, all of the texts; the first that fits.
_SIGNS = (
    ("labelme's JSON", ('"shapes"', '"imagePath"')),
    ("VIA's JSON", ('"shape_attributes"',)),
    ("Label Studio's JSON", ('"annotations"', '"result"')),
    ("CVAT's XML", ("<annotations>", "<image ")),
    ("Azure Custom Vision's JSON", ('"regions"', '"tagName"')),
)


def other_tool(folder: Path) -> str:
    """Return what a file at the top of `folder` is, with its name; "" for none that is known."""
    files = [file for ending in ("*.json", "*.xml") for file in sorted(folder.glob(ending)) if file.is_file()]
    for file in files[:_FEW]:
        with file.open("rb") as stream:
            text = stream.read(_LOOKED_AT).decode("utf-8-sig", errors="replace")
        found = next((name for name, signs in _SIGNS if all(sign in text for sign in signs)), "")
        if found:
            return f"{found} ({file.name})"
    return ""
