from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.schedule.yard import Yard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def yard(tmp_path: Path, database_url: str) -> Iterator[Yard]:
    """Return a project with a database of its own; what it started ends with the test."""
    made = Yard(tmp_path, database_url)
    yield made
    made.close()
