"""Rules about imports that hold by running: a stage starts fast, and arrows between rooms point one way."""

import ast
import graphlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.closures import ROOT, imports

STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
PACKAGE = ROOT / "stages"
FILES = sorted(file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py")
ROOMS = sorted(folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file())
MOST_MODULES = 13  # in one folder: a dozen, and the commands of the room
HEAVY = {"torch", "torchvision", "ultralytics", "matplotlib", "wordllama", "dvc", "cv2"}
EDGES = (ROOT / "tests/edges.txt").read_text(encoding="utf-8").split()  # modules that may touch the world
# What touches the world: files, processes, networks, clocks, dice, networks of neurons, and what opens files itself.
WORLD = {
    "cv2", "datetime", "dvc", "fcntl", "filelock", "glob", "http", "importlib", "logging", "lxml", "matplotlib", "os",
    "pathlib", "PIL", "psutil", "pyarrow", "random", "requests", "secrets", "shutil", "signal", "socket", "sqlite3",
    "subprocess", "tarfile", "tempfile", "threading", "time", "torch", "torchvision", "typer", "ultralytics",
    "urllib", "webbrowser", "wordllama", "zipfile", "jinja2",
}  # fmt: skip
# What `python -X importtime -m stages.x --help` would list, without its text.
LOADED = """
import json, runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_module(sys.argv[0], run_name="__main__")
except SystemExit as end:
    print(json.dumps([end.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


MODULES = {name_of(file): file for file in FILES}


def modules_in(file: Path) -> set[str]:
    """Return our modules that a file imports, inside functions too."""
    return {name for name in imports(file) if name in MODULES}


def room_of(module: str) -> str:
    """Return the room of a module; stages and the app have none."""
    return module.split(".")[1] if module.count(".") > 1 else ""


@pytest.mark.parametrize("module", [*(f"stages.{name}" for name in STAGES), "stages.loop", "demo"])
def test_help_loads_nothing_heavy(module, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, module], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    *text, last = done.stdout.splitlines()
    code, loaded = json.loads(last)
    assert code == 0
    assert "Usage:" in "\n".join(text)
    assert "typer" in loaded  # the list is a real one
    assert not HEAVY & set(loaded)


def test_validate_loads_no_torch_at_all():
    """It measures what `predict` saw; whatever it can reach knows nothing of a network."""
    assert not any("torch" in text or "ultralytics" in text for text in map(_imported, _reached("stages.validate")))


def _reached(module: str) -> set[Path]:
    found, queue = set(), [module]
    while queue:
        file = MODULES[queue.pop()]
        if file not in found:
            found.add(file)
            queue += modules_in(file)
    return found


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def touches_the_world(file: Path) -> bool:
    """Say whether a module imports what opens, waits or rolls dice, or calls `open` or a reader of pandas or numpy."""
    calls = (node.func for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return bool(WORLD & _imported(file)) or any(map(_opens, calls))


def _opens(call: ast.expr) -> bool:
    if isinstance(call, ast.Name):
        return call.id in ("open", "input", "print")
    if not isinstance(call, ast.Attribute):
        return False
    reader = call.attr.startswith(("read_", "to_csv", "to_parquet", "load", "save", "fromfile", "genfromtxt"))
    owner = call.value.id if isinstance(call.value, ast.Name) else ""
    random = isinstance(call.value, ast.Attribute) and call.value.attr == "random" and call.attr != "default_rng"
    return (owner in ("pd", "np") and reader) or random


def test_what_is_not_listed_as_an_edge_is_pure():
    """A new module computes, or it is listed in tests/edges.txt on purpose."""
    found = {str(file.relative_to(PACKAGE)) for file in FILES if touches_the_world(file)}
    assert sorted(found - set(EDGES)) == []
    assert sorted(set(EDGES) - found) == []  # and the list names no module that could do without
    assert sorted(EDGES) == EDGES
    assert len(FILES) - len(EDGES) > 60


def test_only_the_detector_knows_torch_and_ultralytics():
    assert len(FILES) > 150
    wrong = {name_of(file) for file in FILES if {"torch", "torchvision", "ultralytics"} & _imported(file)}
    assert {name for name in wrong if room_of(name) != "detector"} == set()


def test_the_product_knows_nothing_that_is_not_installed_with_it():
    around = {"demo", "starter", "benchmarks", "tests"}
    assert {name_of(file): found for file in FILES if (found := around & _imported(file))} == {}


def test_a_room_knows_no_stage_and_nobody_knows_the_app():
    stages = {f"stages.{name}" for name in (*STAGES, "loop")}
    known = {(name, other) for name, file in MODULES.items() for other in modules_in(file) & stages if name != other}
    assert known == set()


def test_the_commands_of_a_room_are_known_to_the_app_alone():
    apps = {name for name in MODULES if name.endswith("_app")}
    assert apps
    known = {(name, other) for name, file in MODULES.items() for other in modules_in(file) & apps}
    assert {name for name, _ in known} == {"stages.loop"}


def rooms_graph() -> dict[str, set[str]]:
    """Return the rooms that each room knows."""
    graph: dict[str, set[str]] = {room: set() for room in ROOMS}
    for name, file in MODULES.items():
        if room := room_of(name):
            graph[room] |= {room_of(other) for other in modules_in(file)} - {room, ""}
    return graph


def test_arrows_between_rooms_point_one_way():
    order = list(graphlib.TopologicalSorter(rooms_graph()).static_order())  # raises CycleError
    assert set(order) == set(ROOMS)
    assert rooms_graph()["base"] == set()


def test_arrows_between_modules_point_one_way():
    list(graphlib.TopologicalSorter({name: modules_in(file) for name, file in MODULES.items()}).static_order())


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=lambda folder: folder.name)
def test_a_folder_can_be_taken_in_at_a_glance(folder):
    assert len([file for file in folder.glob("*.py") if file.name != "__init__.py"]) <= MOST_MODULES


def test_a_module_is_the_only_one_of_its_name():
    names = Counter(file.stem for file in FILES)
    assert [name for name, count in names.items() if count > 1] == []


def test_a_public_class_is_the_only_one_of_its_name():
    classes = Counter(
        node.name
        for file in FILES
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in classes.items() if count > 1] == []
