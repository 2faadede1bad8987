"""Rules about imports that hold by running: a stage starts fast, and every part knows only the parts below it."""

import ast
import json
import subprocess
import sys

import pytest

from tests.closures import ROOT, imports

STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
HEAVY = {"torch", "torchvision", "ultralytics", "matplotlib", "wordllama", "dvc", "cv2"}
LAYERS = {  # part -> the parts of ours that it must not know
    "core": (
        "stages.files",
        "stages.yolo",
        "stages.drawing",
        "stages.commands",
        *(f"stages.{name}" for name in STAGES),
    ),
    "drawing": ("stages.files", "stages.yolo", "stages.commands", *(f"stages.{name}" for name in STAGES)),
    "files": ("stages.yolo", "stages.commands", *(f"stages.{name}" for name in STAGES)),
    "yolo": ("stages.commands", *(f"stages.{name}" for name in STAGES)),
}
# What `python -X importtime -m stages.x --help` would list, without its text.
LOADED = """
import json, runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_module(sys.argv[0], run_name="__main__")
except SystemExit as end:
    print(json.dumps([end.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def reaches(name: str, forbidden: str) -> bool:
    return name == forbidden or name.startswith(f"{forbidden}.")


@pytest.mark.parametrize("module", [*(f"stages.{name}" for name in STAGES), "stages.loop"])
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


@pytest.mark.parametrize(("part", "forbidden"), LAYERS.items())
def test_a_part_knows_only_the_parts_below_it(part, forbidden):
    files = sorted((ROOT / "stages" / part).glob("*.py"))
    assert len(files) > 3
    upwards = {
        f"{file.name} imports {name}"
        for file in files
        for name in imports(file)
        if any(reaches(name, wrong) for wrong in forbidden)
    }
    assert upwards == set()


@pytest.mark.parametrize("stage", STAGES)
def test_stages_do_not_know_each_other(stage):
    found = imports(ROOT / f"stages/{stage}.py")
    assert found
    others = {f"stages.{name}" for name in (*STAGES, "loop", "commands")} - {f"stages.{stage}"}
    assert [name for name in found if any(reaches(name, other) for other in others)] == []


def test_core_touches_no_file_no_clock_and_no_global_random():
    """`core` computes: what it imports from elsewhere cannot open, wait or roll dice behind our back."""
    allowed = {
        "collections", "dataclasses", "enum", "functools", "hashlib", "html", "itertools", "json", "math", "numpy",
        "pandas", "re", "scipy", "stages", "string", "textwrap", "typing", "unicodedata",
    }  # fmt: skip
    found = set()
    for file in (ROOT / "stages/core").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    assert found - allowed == set()
