"""The record of a test that passed and has nothing more to tell, as most of a large suite.

Between two tests nothing of ours is in the processor's caches any more, so that what costs is less
how much is executed than how much different code and data is touched. So what is known of an
attempt beforehand is masked, checked and encoded for some tests at once, and what is learnt at its
beginning and its end, which is no text of the test's, is written around that.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Attempt, AttemptStarted, Record, Status, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

_MINUTE_US = 60_000_000
_HEAD = b'{"record":"attempt_started",'
_STARTED = b'{"record":"attempt_started","run_id":"%b","number":%d,"started_at":"%b:%02d.%06dZ",%b'
_TIMES = b'"duration_ms":%f,"setup_ms":%f,"call_ms":%f,"teardown_ms":%f'
_PASSED = b'{"record":"passed",%b}'
_ATTEMPT = b'{"record":"attempt","status":"passed",%b,%b'


class Definition(Record, frozen=True, kw_only=True):
    """What is known of an attempt before it begins."""

    workflow: Workflow
    worker: str = ""
    dimensions: dict[str, str] = msgspec.field(default_factory=dict)


class Passed(Record, frozen=True, kw_only=True, tag_field="record", tag="passed"):
    """How a plain pass adds to its beginning; the times are an attempt's."""

    duration_ms: float
    setup_ms: float
    call_ms: float
    teardown_ms: float


class Beginning:
    """What is known of an attempt beforehand, as it is and as it is written.

    Args:
        workflow: The workflow as its marker describes it.
        dimensions: Parameters that do not split history, such as the browser.
        worker: The xdist worker's name, or empty.
        has_limits: Whether limits for all workflows have to be looked at when it has ended.

    Attributes:
        may_be_plain: Whether a pass is one without a look at limits.
        secrets: How many secrets were known when it was masked.
    """

    __slots__ = ("_encoded", "dimensions", "may_be_plain", "secrets", "workflow")

    def __init__(
        self,
        workflow: Workflow,
        dimensions: dict[str, str],
        worker: str = "",
        *,
        has_limits: bool = False,
    ) -> None:
        self.workflow = workflow
        self.dimensions = dimensions
        self.may_be_plain = not (
            has_limits or workflow.budgets or workflow.degraded_after_seconds is not None
        )
        self.secrets = known.count
        definition = Definition(workflow=workflow, worker=worker, dimensions=dimensions)
        self._encoded = known.sealed(definition)[1][1:]

    def started(self, run_id: str, number: int, time_us: int) -> bytes:
        """Return the encoded :class:`~pytest_workflow_monitor.model.AttemptStarted`.

        Args:
            run_id: The execution that the attempt belongs to.
            number: The attempt's number, from 1.
            time_us: When it began, in microseconds since 1970.
        """
        minute, rest = divmod(time_us, _MINUTE_US)
        if minute != _minute.number:
            _minute.begin(minute)
        seconds, micros = divmod(rest, 1_000_000)
        facts = (run_id.encode(), number, _minute.text, seconds, micros, self._encoded)
        return _STARTED % facts


class _Minute:
    """The present minute as it is written; in most attempts it is that of the one before."""

    __slots__ = ("number", "text")

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, number: int) -> None:
        self.number = number
        at = datetime.fromtimestamp(number * 60, UTC)
        self.text = at.isoformat(timespec="minutes").removesuffix("+00:00").encode()


_minute = _Minute()


def passed(started: bytes, phases_ms: Mapping[str, float]) -> tuple[bytes, bytes]:
    """Return the encoded :class:`Passed` of an attempt, and the whole attempt encoded.

    Args:
        started: Its encoded beginning.
        phases_ms: How long its phases took; one that there was not took no time.
    """
    times = _TIMES % (
        sum(phases_ms.values()),
        phases_ms.get("setup", 0.0),
        phases_ms.get("call", 0.0),
        phases_ms.get("teardown", 0.0),
    )
    return _PASSED % times, _ATTEMPT % (times, started[len(_HEAD) :])


def joined(started: AttemptStarted, end: Passed) -> Attempt:
    """Return the attempt that began and ended like this."""
    facts = msgspec.structs.asdict(started) | msgspec.structs.asdict(end)
    return Attempt(status=Status.PASSED, **facts)
