"""Fixtures that every kind of test may ask for: a clean environment, and a small real project to spoil."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import drawn, fake_project
from tests.forks import fork_server
from tests.once import Once, built_once
from tests.real_project import Project, build
from tests.toy_weights import cached_weights

# A shell that starts us in the background lets us and our children ignore Ctrl+C: the driver is tested with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the targets of the Makefile ask for more, or for less."""
    parser.addoption("--every-kill", action="store_true", help="kill at each call, not at each eighth")
    parser.addoption("--drawing-if-changed", action="store_true", help="skip tests of the drawing that passed as it is")
    parser.addoption("--stamp-drawing", action="store_true", help="note that the tests of the drawing passed")


def pytest_configure(config: pytest.Config) -> None:
    """Let what the tests start as `python` be forked from a process whose libraries are loaded: see tests/forks."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # the workers do it, each for itself
    patch, server = pytest.MonkeyPatch(), fork_server()
    patch.setattr(sys, "executable", str(server.__enter__()))
    config.add_cleanup(lambda: server.__exit__(None, None, None))
    config.add_cleanup(patch.undo)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of a drawing that has not changed, where that is asked for."""
    if config.getoption("drawing_if_changed"):
        drawn.leave_out(items)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Renew the stamp, where that is asked for."""
    if session.config.getoption("stamp_drawing") and exitstatus == 0:
        drawn.renew()


@pytest.fixture(scope="session", autouse=True)
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What functions called in this process found out about files is kept with this run's files, not in the project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stages.base.fact_store.STORE", tmp_path_factory.getbasetemp() / "files.sqlite")
        yield


@pytest.fixture
def every_kill(pytestconfig: pytest.Config) -> bool:
    """Whether to kill at each call of Git instead of at each eighth."""
    return bool(pytestconfig.getoption("every_kill"))


@pytest.fixture
def clean_env(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Git and DVC see nothing of the person at this machine, and ask nobody."""
    for key, value in fake_project.environment(tmp_path_factory.mktemp("home")).items():
        monkeypatch.setenv(key, value)
    return


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function that builds a folder once for all workers: `built_once` in a place of this test run."""
    own = tmp_path_factory.getbasetemp()
    return partial(built_once, (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once")


@pytest.fixture(scope="session")
def template(once: Once) -> Path:
    """A project whose iteration 0 has run: to be copied, never changed."""

    def build_it(folder: Path) -> None:
        fake_project.build(folder / "project")
        fake_project.dvc(folder / "project", "repro", "-q")

    return once("template", build_it) / "project"


@pytest.fixture
def project(clean_env: None, template: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of a project whose iteration 0 has run, not finished."""

    return _copies(template, tmp_path)


@pytest.fixture(scope="session")
def finished_template(template: Path, once: Once) -> Path:
    """The same project after `yoloop finish`: to be copied, never changed."""
    from stages.iteration.finish import finish

    def build_it(folder: Path) -> None:
        finish(Path(shutil.copytree(template, folder / "project", symlinks=True)))

    return once("finished", build_it) / "project"


@pytest.fixture
def finished(clean_env: None, finished_template: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of a project whose iteration 0 is finished."""
    return _copies(finished_template, tmp_path)


def _copies(template: Path, folder: Path) -> Callable[[], Path]:
    return lambda: Path(shutil.copytree(template, folder / "project", symlinks=True))


@pytest.fixture(scope="session")
def toy_weights(pytestconfig: pytest.Config) -> Path:
    """A YOLO-26n that finds easy toy shapes; trained once, then kept in pytest's cache."""
    return cached_weights(pytestconfig.cache.mkdir("toy"))


@pytest.fixture(scope="session")
def ran(toy_weights: Path, once: Once) -> Project:
    """A project whose iteration 0 has run with the real stages, not finished: to be copied, never changed."""

    def build_it(folder: Path) -> None:
        counts = {"train": 6, "val": 3, "test": 1, "pool": 3}
        build(folder / "project", toy_weights, counts=counts).dvc("repro", "-q")

    folder = once("ran", build_it)
    return Project(folder / "project", folder / "home")
