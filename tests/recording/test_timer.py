from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor import metric
from pytest_workflow_monitor.model import Workflow
from pytest_workflow_monitor.recording.context import process
from pytest_workflow_monitor.recording.plain import Beginning
from pytest_workflow_monitor.recording.recorder import Equipment, Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Record in place of whatever this test itself is recorded by."""
    workflow = Workflow(workflow_id="w", name="W", nodeid="n", file="f")
    outer = process.recorder
    process.recorder = Recorder(Equipment(artifact_dir=Path()), Beginning(workflow, {}), "run", 1)
    yield process.recorder
    process.recorder = outer


def test_a_timer_records_how_long_its_block_took(recorder: Recorder) -> None:
    """In milliseconds, and against its threshold if it has one."""
    with metric.timer("search_ms"), metric.timer("impossible_ms", threshold=0):
        pass
    inner, outer = recorder.details.metrics
    assert (inner.name, inner.unit, inner.is_within_threshold) == ("impossible_ms", "ms", False)
    assert (outer.name, outer.unit, outer.threshold_value) == ("search_ms", "ms", None)
    assert 0 < inner.value <= outer.value < 10_000
    assert recorder.details.degraded[0].startswith("impossible_ms is ")


def test_a_timer_can_be_used_again_and_within_itself(recorder: Recorder) -> None:
    """Each entry is a number of its own."""
    timer = metric.timer("part_ms")
    with timer, timer:
        pass
    inner, outer = recorder.details.metrics
    assert inner.value <= outer.value


def test_a_block_that_fails_records_nothing(recorder: Recorder) -> None:
    """How long a failure took says nothing about the work; the exception goes on."""
    with pytest.raises(ValueError, match="sold out"), metric.timer("search_ms"):
        raise ValueError("sold out")
    assert recorder.details.metrics == []


def test_outside_a_workflow_a_timer_does_nothing() -> None:
    """The same helpers serve all tests."""
    outer, process.recorder = process.recorder, None
    try:
        with metric.timer("search_ms", threshold=0):
            pass
    finally:
        process.recorder = outer
