"""What README, CONTRIBUTING and docs name is there: commands, options, parameters, files, links, keys of metrics."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
import typer
import yaml

from stages.analysis.analysis_tables import FINDINGS, SUSPECTS
from stages.analysis.summaries import summary
from stages.analysis.suspicion import KINDS
from stages.base.tables import Schema, conform
from stages.convergence.gains import Gain
from stages.convergence.history.history_columns import column_types
from stages.convergence.stop_rules import Verdict
from stages.dataset.defects import Severity
from stages.detector.prediction.filters import Filters
from stages.holdout.openings import FACTS
from stages.loop import app
from stages.ruler.headline import headline
from stages.ruler.losses.fates import FATES
from stages.ruler.losses.tide import ERRORS
from stages.ruler.measurement import Point, Report, Tables, measure
from stages.ruler.pairing.box_tables import DETECTIONS, DISCARDED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.ruler.statement import Ruler
from stages.sample import counts
from tests.fake_project import REPO

DOCS = ("docs/demo.md", "docs/review.md", "docs/ruler.md")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *DOCS, "starter/README.md")
STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
# What lies at the boundary between two iterations, or comes and goes: no stage declares it.
BOUNDARY = {
    "data/dataset",
    "data/dataset/test",
    "data/oracle",
    "data/review",
    "metrics/reports",
    "metrics/lines.csv",
    "metrics/holdout.csv",
    "metrics/review.json",
    "metrics/review_sheets.csv",
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
            options = {
                option
                for parameter in command.params
                for option in [*parameter.opts, *parameter.secondary_opts]
                if option.startswith("--")
            }
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


def measured() -> tuple[Tables, Report]:
    """Return what is measured on sheets that are not there: every key, and no number."""
    tables = Tables(*(empty(schema) for schema in (IMAGES, GROUND_TRUTH, DETECTIONS, DISCARDED)))
    point = Point(iou=0.5, confidence=0.5, floor=0.01)
    return tables, measure(tables, classes=["a"], point=point, size_bounds=(500, 2000, 10000))


def metric_keys() -> dict[str, set[str]]:
    """Return the names in the metrics files, from the functions that fill them."""
    some = Ruler(0.5, "", 0.5, 0.01, 0.7, 300, 640, Filters().active, ("a",), 1, "")
    shown = headline(*measured(), some)
    nothing = pd.DataFrame({"rank": [], "arm": [], "kind": [], "image_id": []})
    gain = set(Gain._fields)
    return {
        "validate": {*shown, *shown["splits"][0], *some.statement()},
        "analyze": set(summary(empty(FINDINGS), empty(SUSPECTS))),
        "converge": {*Verdict._fields, *gain},
        "sample": set(counts(nothing, pool_sheets=0, to_check=pd.Series(dtype=int))),
    }


def said_of(page: str, heading: str) -> set[str]:
    """Return the words in backticks behind a heading in bold, up to the next one that names a file."""
    part = re.search(rf"\*\*`{re.escape(heading)}`\*\*(.*?)(?=\n\*\*`|\n## |\Z)", text_of(page), flags=re.DOTALL)
    assert part, heading
    return set(re.findall(r"`([^`]+)`", part[1]))


@pytest.mark.parametrize(("stage", "keys"), metric_keys().items())
def test_every_number_is_explained(stage, keys):
    assert keys <= said_of("README.md", f"metrics/{stage}.json")


def test_the_columns_of_the_history_are_explained():
    columns = {name.replace("[a]", "[class]") for name in column_types(["a"])}
    assert columns <= said_of("README.md", "plots/converge/history.csv")


def test_the_columns_of_the_small_tables_are_explained():
    report = measured()[1]
    scores = {name for name in report.scores if not name.endswith(("_low", "_high"))}
    for name, columns in {
        "scores": scores,
        "sheets": set(report.sheets),
        "ledger": {*report.fates} - set(FATES),
        "errors": set(report.costs),
    }.items():
        assert columns <= said_of("docs/ruler.md", f"data/validate/{name}.csv"), name
    assert set(FACTS) <= said_of("docs/ruler.md", "metrics/holdout.csv")


@pytest.mark.parametrize(
    "words", [FATES, ERRORS, KINDS, get_args(Severity)], ids=["fates", "errors", "kinds", "severity"]
)
def test_every_word_of_the_ruler_has_its_definition(words):
    assert set(words) <= set(spans("docs/ruler.md"))
