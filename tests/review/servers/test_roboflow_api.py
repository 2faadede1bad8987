"""What is said before Roboflow is asked for anything; the rest needs its package: tests/tools/test_roboflow.py."""

import sys
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.review.servers import roboflow_api
from tests.review.packets import build_packet, plain_spec

MAKE = "python3 -m venv .tools/roboflow && .tools/roboflow/bin/pip install 'roboflow>=1.7,<2'"


def refused(tmp_path: Path, *, project: str = "ws/plans", python: Path) -> str:
    packet = build_packet(plain_spec(), tmp_path)
    said: list[str] = []
    with pytest.raises(UserError) as caught:
        roboflow_api.export_to(packet, project=project, key="secret", say=said.append, python=python)
    assert said == []
    return str(caught.value)


def test_no_key() -> None:
    assert roboflow_api.key_of({"ROBOFLOW_API_KEY": " abc\n"}) == "abc"
    for environment, found in (
        ({}, "no such variable"),
        ({"ROBOFLOW_API_KEY": " "}, "no such variable"),
        ({"ROBOFLOW_API_KEY": "secret&x"}, "other signs than letters and digits"),
    ):
        with pytest.raises(UserError) as caught:
            roboflow_api.key_of(environment)
        assert str(caught.value) == (
            f"ROBOFLOW_API_KEY: expected the API key of your workspace, found {found}. "
            "In Roboflow: Settings > API Keys; then: export ROBOFLOW_API_KEY=…"
        )


def test_no_package(tmp_path: Path) -> None:
    assert refused(tmp_path, python=tmp_path / "no/bin/python") == (
        f"{tmp_path}/no/bin/python: expected the package roboflow in an environment of its own, found none. "
        f"Make it: {MAKE}"
    )


def test_an_environment_without_the_package(tmp_path: Path) -> None:
    """The worker starts, and does not take our own roboflow.py, which lies beside it, for the package."""
    assert refused(tmp_path, python=Path(sys.executable)) == (
        f"{sys.executable}: expected the package roboflow in an environment of its own, "
        f"found No module named 'roboflow'. Make it: {MAKE}"
    )


@pytest.mark.parametrize("project", ["plans", "ws/plans/3", "https://app.roboflow.com/ws/plans", "ws/", "ws/a?b", ""])
def test_a_project_is_a_workspace_and_a_name(project: str, tmp_path: Path) -> None:
    assert refused(tmp_path, project=project, python=Path(sys.executable)) == (
        f"--project: expected WORKSPACE/PROJECT, found {project!r}. "
        "It stands in the address of the project in Roboflow: app.roboflow.com/WORKSPACE/PROJECT"
    )


def test_an_environment_that_does_not_start(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken for secret >&2\nexit 3\n")
    broken.chmod(0o755)
    assert refused(tmp_path, python=broken) == (
        "Roboflow ws/plans: expected an answer, found broken for ***. Run it again."
    )


def test_the_key_goes_to_roboflow_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roboflow's package takes its server from API_URL, a name that other programs use as well."""
    speaking = tmp_path / "python"
    speaking.write_text('#!/bin/sh\necho "asked ${API_URL:-roboflow}" >&2\nexit 3\n')
    speaking.chmod(0o755)
    monkeypatch.setenv("API_URL", "http://elsewhere")
    monkeypatch.delenv("ROBOFLOW_API_URL", raising=False)
    assert "found asked roboflow. " in refused(tmp_path / "1", python=speaking)
    monkeypatch.setenv("ROBOFLOW_API_URL", "http://our-own")
    assert "found asked http://our-own. " in refused(tmp_path / "2", python=speaking)
