"""The import closure of a stage, read from the source: what it would really run."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def closure(module: str) -> set[str]:
    """Return the files of ours, relative to the project, that importing or running `module` can reach."""
    found: set[str] = set()
    queue = [module]
    while queue:
        file = _file(queue.pop())
        if file is None or file in found:
            continue
        found.add(file)
        queue += imports(ROOT / file)
    return found


def imports(file: Path) -> list[str]:
    """Return the modules of ours that a file imports, inside functions too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == "stages"]


def _file(module: str) -> str | None:
    """Return the module's file; packages hold no code, so their `__init__.py` does not count."""
    path = Path(*module.split(".")).with_suffix(".py")
    return str(path) if (ROOT / path).is_file() else None
