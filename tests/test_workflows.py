"""The workflow of the project, and the example in docs, are YAML that asks for what there is."""

import re

import pytest
import yaml

from tests.fake_project import REPO

OURS = (REPO / ".github/workflows/test.yml").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```yaml\n(name: .*?)```", (REPO / "docs/compare.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", [OURS, *EXAMPLE], ids=["ours", "example"])
def test_a_workflow_runs_targets_that_there_are(text: str) -> None:
    workflow = yaml.safe_load(text)
    assert workflow["permissions"]["contents"] == "read"
    (job,) = workflow["jobs"].values()
    typed = "\n".join(step.get("run", "") for step in job["steps"])
    targets = set(re.findall(r"\bmake ([a-z-]+)", typed))
    assert targets
    makefile = (REPO / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_our_workflow_uses_the_python_that_the_project_asks_for() -> None:
    (job,) = yaml.safe_load(OURS)["jobs"].values()
    (version,) = [step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {})]
    assert f'requires-python = ">={version}' in (REPO / "pyproject.toml").read_text(encoding="utf-8")
