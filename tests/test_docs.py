"""What README, CONTRIBUTING and docs name is there: commands, options, parameters, files, links, keys of metrics."""

import json
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml

from demo.__main__ import app as demo_app
from docs import numbers, switches
from stages.analysis.suspicion import KINDS
from stages.dataset.defects import Severity
from stages.loop import app
from stages.ruler.losses.fates import FATES
from stages.ruler.losses.tide import ERRORS
from tests.fake_project import REPO

DOCS = tuple(sorted(str(file.relative_to(REPO)) for file in (REPO / "docs").glob("*.md")))
GENERATED = ("docs/numbers.md", "docs/switches.md")
BY_HAND = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(page for page in DOCS if page not in GENERATED))
PAGES = (*BY_HAND, *GENERATED, "starter/README.md")
STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
README_BYTES = 10_000  # what one needs first; the rest has a page a job
# What lies at the boundary between two iterations, or comes and goes: no stage declares it.
BOUNDARY = {
    "data/dataset",
    "data/dataset/test",
    "data/oracle",
    "data/review",
    "data/review_val",
    "metrics/reports",
    "metrics/lines.csv",
    "metrics/holdout.csv",
    "metrics/review.json",
    "metrics/review_sheets.csv",
    "logs/train",
    "logs",
}
OTHERS_OPTIONS = {
    "--all-commits",
    "--temp",
    "--queue",
    "--force",
    "--local",
    "--only-changed",
    "--drop",
    "--keep",
}  # of DVC


def text_of(page: str) -> str:
    return (REPO / page).read_text(encoding="utf-8")


def shell_lines(page: str) -> list[str]:
    """Return the commands in the page's `sh` blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text_of(page), flags=re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"(^|\s+)# .*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def spans(page: str) -> list[str]:
    """Return what stands in single backticks, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL))


def commands(page: str) -> list[str]:
    """Return every command of the page, one program each."""
    return [part.strip() for line in [*shell_lines(page), *spans(page)] for part in line.split("&&")]


def commands_of(program: typer.Typer) -> dict[tuple[str, ...], set[str]]:
    """Return the options of every command of an app."""
    return {words: set(switches.options_of(one)) for words, one in switches.leaves(typer.main.get_command(program))}


APP, DEMO = commands_of(app), commands_of(demo_app)


def flat(values: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of a nested mapping, those of its sections too."""
    for key, value in values.items() if isinstance(values, dict) else ():
        yield f"{prefix}{key}"
        yield from flat(value, f"{prefix}{key}.")


PARAMS = set(flat(yaml.safe_load(text_of("params.yaml"))))
SECTIONS = {name for name in PARAMS if any(other.startswith(f"{name}.") for other in PARAMS)}
GRAPH = yaml.safe_load(text_of("dvc.yaml"))["stages"]


def named(stage: str, *kinds: str) -> set[str]:
    entries = [entry for kind in kinds for entry in GRAPH[stage].get(kind, [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_its_options_exist(page):
    for line, (start, known) in product(commands(page), (("yoloop ", APP), ("python -m demo ", DEMO))):
        if line.startswith(start) and line != "python -m demo --help":
            words = shlex.split(line.removeprefix(start))
            found = next((leaf for leaf in known if tuple(words[: len(leaf)]) == leaf), None)
            assert found is not None, line
            assert {word.split("=")[0] for word in words if word.startswith("--")} <= known[found], line


def test_every_command_and_option_is_explained():
    """In pages that somebody wrote: the page of commands has them all by itself."""
    said = "".join(map(text_of, BY_HAND))
    for words, options in APP.items():
        assert f"yoloop {' '.join(words)}" in said
        for option in options:
            assert option in said, (words, option)


@pytest.mark.parametrize("page", [numbers, switches])
@pytest.mark.skipif(not (REPO / "data/demo.md").is_file(), reason="a project has values and classes of its own")
def test_a_page_that_is_written_by_the_code_is_as_the_code_writes_it(page):
    assert page.PAGE.read_text(encoding="utf-8") == page.page(), "make docs"


def test_the_readme_is_short_and_leads_to_every_page():
    readme = text_of("README.md")
    assert len(readme.encode()) <= README_BYTES
    assert {page for page in DOCS if f"]({page})" not in readme} == set()


@pytest.mark.parametrize("page", PAGES)
def test_options_on_their_own_exist(page):
    known = {"--help"}.union(*APP.values(), *DEMO.values()) | OTHERS_OPTIONS
    assert {span.split()[0] for span in spans(page) if span.startswith("--")} <= known


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_is_run_exists(page):
    modules = [match[1] for line in commands(page) if (match := re.match(r"python -m ([\w.]+)", line))]
    assert all(find_spec(module) is not None for module in modules), modules


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), flags=re.MULTILINE))
    asked = {match[1] for line in commands(page) if (match := re.match(r"make ([\w-]+)$", line))}
    assert asked <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_parameter_exists(page):
    names = [span for span in spans(page) if re.fullmatch(rf"({'|'.join(STAGES)}|review)\.(?!py\b)\w[\w.]*", span)]
    swept = [match[1] for line in commands(page) for match in re.finditer(r"-S '?([a-z_.]+)=", line)]
    assert set(names) | set(swept) <= PARAMS
    assert swept or page != "docs/compare.md"
    assert len(names) > 10 or page not in ("docs/first_system.md", "docs/numbers.md")


def test_every_value_has_a_meaning():
    rows = [line.split(" | ") for line in numbers.parameters() if line.startswith("| `")]
    assert [row[0] for row in rows if len(row) != 4 or not row[3].removesuffix(" |").strip()] == []
    assert {row[0].strip("| `") for row in rows} >= {name for name in PARAMS if name not in {"classes", *SECTIONS}}


def test_the_prompt_that_is_swept_exists():
    prompts = set(flat(yaml.safe_load(text_of("data/prompts.yaml"))))
    swept = re.findall(r"data/prompts\.yaml:([\w.]+)=", text_of("docs/prompts.md"))
    assert swept
    assert set(swept) <= prompts


@pytest.mark.parametrize("page", PAGES)
def test_every_path_is_declared_or_there(page):
    declared = BOUNDARY.union(*(named(stage, "deps", "outs", "metrics", "plots") for stage in STAGES))
    for span in spans(page):
        if re.match(r"(data|models|metrics|plots|logs|stages|tests|benchmarks|docs)/[^<*: ]+$", span):
            path = Path(span)
            inside = {str(path), *map(str, path.parents)}
            assert inside & declared or (REPO / path).exists(), span


@pytest.mark.parametrize("stage", STAGES)
def test_the_table_of_stages_is_the_graph(stage):
    section = text_of("docs/iteration.md").split("## What it runs")[1]
    row = next(line for line in section.splitlines() if line.startswith(f"| `{stage}` | "))
    reads, writes = (set(re.findall(r"`([^`]+)`", cell)) for cell in row.split("|")[3:5])
    inputs = {path for path in named(stage, "deps") if not path.startswith("stages/")}
    inputs |= {key for entry in GRAPH[stage]["params"] if isinstance(entry, dict) for key in entry}
    assert reads == inputs - {"data/dataset/data.yaml"}  # the class names, beside the splits
    assert writes == named(stage, "outs", "metrics", "plots")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if not target.startswith("https://"):
            file, _, place = target.partition("#")
            found = (REPO / page).parent / file if file else REPO / page
            assert found.is_file(), target
            heads = re.findall(r"^#+ .*", found.read_text(encoding="utf-8"), flags=re.MULTILINE) if place else []
            assert not place or place in map(anchor, heads), target


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def keys(values: Any) -> set[str]:
    """Return the keys at the top of a metrics file, and those of its `details`."""
    return {*values, *(key for one in values.get("details", []) for key in one)} - {"details"}


@pytest.mark.parametrize("listed", numbers.metrics(), ids=lambda one: one.file)
def test_every_number_is_explained(listed):
    if listed.names:
        found = keys(json.loads(text_of(listed.file)))
        explained = {name.partition(".")[0] for name in listed.names}
        assert found - explained - {"suggestions"} == set()


@pytest.mark.parametrize("listed", numbers.small_tables(), ids=lambda one: one.file)
def test_the_columns_of_a_table_in_git_are_explained(listed):
    if (REPO / listed.file).is_file():
        columns = text_of(listed.file).split("\n", 1)[0].split(",")
        classes = yaml.safe_load(text_of("params.yaml"))["classes"]
        names = {re.sub(rf"\[({'|'.join(classes)})\]", "[class]", column) for column in columns}
        losses = {"box_loss", "cls_loss", "l1_loss"}  # the parts of `loss`, as Ultralytics names them
        assert names - losses <= set(listed.names)


@pytest.mark.parametrize(
    "words", [FATES, ERRORS, KINDS, get_args(Severity)], ids=["fates", "errors", "kinds", "severity"]
)
def test_every_word_of_the_ruler_has_its_definition(words):
    assert set(words) <= set(spans("docs/ruler.md"))


def test_every_message_that_is_quoted_is_one_of_ours():
    texts = "".join(file.read_text(encoding="utf-8") for file in (REPO / "stages/messages").glob("*.toml"))
    quoted = re.findall(r"\*(expected [^*]+)\*", text_of("docs/trouble.md"))
    assert len(quoted) > 2
    assert [words for words in quoted if words not in texts] == []
