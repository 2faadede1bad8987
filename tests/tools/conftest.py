"""A real Label Studio server, once for all tests that ask it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.label_studio import Person, label_studio


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="session")
def person(tmp_path_factory: pytest.TempPathFactory, documents: Path) -> Iterator[Person]:
    with label_studio(tmp_path_factory.mktemp("server"), documents=documents) as someone:
        yield someone
