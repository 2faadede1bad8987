"""Knows the files that computers and tools leave behind in a folder: they are nobody's work, and part of nothing."""

_LEFT_BEHIND = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"}


def is_clutter(name: str) -> bool:
    """Say whether what is called `name` was left behind: `.DS_Store`, `._a.png`, `labels.cache`, `Thumbs.db`."""
    return name.startswith(".") or name.endswith(".cache") or name.casefold() in _LEFT_BEHIND
