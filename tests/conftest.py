"""Fixtures that every kind of test may ask for: a clean environment, and a small real project to spoil."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import fake_project


@pytest.fixture
def clean_env(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Git and DVC see nothing of the person at this machine, and ask nobody."""
    for key, value in fake_project.environment(tmp_path_factory.mktemp("home")).items():
        monkeypatch.setenv(key, value)
    return


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose iteration 0 has run: to be copied, never changed."""
    root = tmp_path_factory.mktemp("template") / "project"
    with pytest.MonkeyPatch.context() as patch:
        for key, value in fake_project.environment(tmp_path_factory.mktemp("home")).items():
            patch.setenv(key, value)
        fake_project.build(root)
        fake_project.dvc(root, "repro", "-q")
    return root


@pytest.fixture
def project(clean_env: None, template: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of a project whose iteration 0 has run, not finished."""

    def fresh() -> Path:
        return Path(shutil.copytree(template, tmp_path / "project", symlinks=True))

    return fresh
