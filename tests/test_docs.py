"""What README and CONTRIBUTING name is there: commands, options, parameters, files, links, keys of metrics."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
import yaml

from stages.core.convergence import Verdict
from stages.core.metrics import split_metrics
from stages.core.summaries import summary
from stages.files.schemas import DETECTIONS, FINDINGS, GROUND_TRUTH, IMAGES, MATCHES
from stages.files.tables import Schema, conform
from stages.loop import app
from stages.sample import counts
from tests.fake_project import REPO

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/demo.md", "starter/README.md")
STAGES = ("train", "validate", "analyze", "converge", "sample")
# What lies at the boundary between two iterations, or comes and goes: no stage declares it.
BOUNDARY = {
    "data/dataset",
    "data/dataset/test",
    "data/oracle",
    "data/review",
    "metrics/reports",
    "metrics/lines.csv",
    "logs/train",
    "logs",
}
OTHERS_OPTIONS = {"--temp", "--queue", "--force", "--local", "--only-changed", "--drop", "--keep"}  # of DVC


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


def leaves(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Yield the words of every command of the app with its options."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*words, name))
        else:
            options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
            yield (*words, name), options


APP = dict(leaves(typer.main.get_command(app)))
GROUPS = {words[:-1] for words in APP}


def flat(values: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of a nested mapping, those of its sections too."""
    for key, value in values.items() if isinstance(values, dict) else ():
        yield f"{prefix}{key}"
        yield from flat(value, f"{prefix}{key}.")


PARAMS = set(flat(yaml.safe_load(text_of("params.yaml"))))
GRAPH = yaml.safe_load(text_of("dvc.yaml"))["stages"]


def named(stage: str, *kinds: str) -> set[str]:
    entries = [entry for kind in kinds for entry in GRAPH[stage].get(kind, [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


@pytest.mark.parametrize("page", PAGES)
def test_every_yoloop_command_and_its_options_exist(page):
    for line in commands(page):
        program, *words = shlex.split(line) if line.startswith("yoloop ") else ["", ""]
        if program == "yoloop":
            found = next((leaf for leaf in APP if tuple(words[: len(leaf)]) == leaf), None)
            assert found is not None, line
            assert {word.split("=")[0] for word in words if word.startswith("--")} <= APP[found], line


def test_every_command_and_option_is_in_the_readme():
    readme = text_of("README.md")
    for words, options in APP.items():
        assert f"yoloop {' '.join(words)}" in readme
        for option in options - {"--help"}:
            assert option in readme, (words, option)


@pytest.mark.parametrize("page", PAGES)
def test_options_on_their_own_exist(page):
    known = set().union(*APP.values()) | OTHERS_OPTIONS
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
    if page == "README.md":
        assert len(names) > 10
        assert swept


def test_the_prompt_that_is_swept_exists():
    prompts = set(flat(yaml.safe_load(text_of("data/prompts.yaml"))))
    swept = re.findall(r"data/prompts\.yaml:([\w.]+)=", text_of("README.md"))
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
    section = text_of("README.md").split("## What an iteration does")[1]
    row = next(line for line in section.splitlines() if line.startswith(f"| `{stage}` | "))
    reads, writes = (set(re.findall(r"`([^`]+)`", cell)) for cell in row.split("|")[3:5])
    inputs = {path for path in named(stage, "deps") if not path.startswith("stages/")}
    inputs |= {key for entry in GRAPH[stage]["params"] if isinstance(entry, dict) for key in entry}
    assert reads == inputs - {"data/dataset/data.yaml"}  # the class names, beside the splits
    assert writes == named(stage, "outs", "metrics", "plots")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if target.startswith("#"):
            assert target[1:] in {anchor(line) for line in text_of(page).splitlines() if line.startswith("#")}
        elif not target.startswith("https://"):
            assert ((REPO / page).parent / target.split("#")[0]).is_file(), target


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def empty(schema: Schema) -> pd.DataFrame:
    return conform(pd.DataFrame(columns=list(schema.columns)), schema)


def metric_keys() -> dict[str, set[str]]:
    """Return the names in the metrics files, from the functions that fill them."""
    total, per_class = split_metrics(
        images=empty(IMAGES),
        ground_truth=empty(GROUND_TRUTH),
        detections=empty(DETECTIONS),
        matches=empty(MATCHES),
        classes=["a"],
    )
    nothing = pd.DataFrame({"rank": [], "kind": [], "image_id": []})
    return {
        "validate": {*total, *per_class["a"]},
        "analyze": set(flat(summary(empty(FINDINGS))["val"])) | {"val", "train", "pool"},
        "converge": set(Verdict._fields),
        "sample": set(counts(nothing, pool_sheets=0)),
    }


@pytest.mark.parametrize(("stage", "keys"), metric_keys().items())
def test_every_number_is_explained(stage, keys):
    said = text_of("README.md").split("## What the numbers mean")[1].split("\n## ")[0]
    part = re.search(rf"\*\*`metrics/{stage}\.json`\*\*(.*?)(?=\n\*\*`|\Z)", said, flags=re.DOTALL)
    words = set(re.findall(r"`([^`]+)`", part[1]))
    assert {key.split(".")[-1] for key in keys} <= words
