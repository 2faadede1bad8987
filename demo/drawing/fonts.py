"""The fonts to draw with: those that matplotlib ships, so that every machine has the same ones."""

from functools import cache
from pathlib import Path

DRAFTING = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf")
OTHERS = (
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
    "cmb10.ttf",
)


@cache
def font(name: str) -> Path:
    """Return the file of a font that matplotlib ships, without importing matplotlib."""
    from importlib.util import find_spec

    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("matplotlib, which is installed with yoloop")
    return Path(spec.submodule_search_locations[0]) / "mpl-data/fonts/ttf" / name
