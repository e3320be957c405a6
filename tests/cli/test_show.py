from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import (
    Artifact,
    Error,
    Event,
    EventKind,
    Execution,
    Metric,
    Output,
    Phase,
    Status,
    Step,
)
from tests.samples import a_full_attempt, a_session, an_attempt, an_end, at, run_id

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


def keep(store: Store, *attempts: Attempt, start: float = 0) -> str:
    """Store a session of these attempts; return its id."""
    session = a_session(started_at=at(start))
    ingest(store, session, Batch(attempts=attempts, ended=an_end(start + 600)))
    return session.session_id


def trimmed(text: str) -> str:
    """Take away the spaces at the ends of lines."""
    return "".join(f"{it.rstrip()}\n" for it in text.splitlines())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_everything_about_a_failure_is_shown(stored: Project, store: Store, width: int) -> None:
    """Verdict, failing line, attempts, steps, metrics, attachments, labels: on any terminal."""
    run = run_id()
    first = an_attempt(
        run_id=run,
        status=Status.FAILED,
        will_retry=True,
        errors=(Error(phase=Phase.CALL, type="OSError", message="the first problem"),),
    )
    keep(store, first, a_full_attempt(run_id=run, number=2))

    said = stored.run("show", run, width=width)

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert max(len(it) for it in lines if "artifacts/" not in it) <= width
    assert said.out.startswith("✗ Failed  login  Login\nPay › Wait: assert 2 == 3\n")
    for fact in (
        run,
        "shop · production · browser chromium",
        "critical, team-web",
        "season=winter",
    ):
        assert fact in said.out
    for fact in ("0d1e2f on main", "ci · GitHub Actions", "tests/test_shop.py:9"):
        assert fact in said.out
    for fact in ("> assert total == 3", "AssertionError: assert 2 == 3", "OSError: gone"):
        assert fact in said.out
    assert "Attempt 1 of 2  ✗ Failed  1.5 s" in said.out
    assert "the first problem" in said.out
    for fact in ("✓ Prepare (set-up)", "✗ Pay", "  ⊗ Wait", "and 3 more steps"):
        assert fact in said.out
    for fact in ("cart_total_ms", "613 ms", "500 ms", "! beyond", "page", "screenshot", "5.0 GB"):
        assert fact in said.out
    assert "Traceback" not in said.out


def test_full_adds_tracebacks_output_and_earlier_attempts(stored: Project, store: Store) -> None:
    """With --full nothing that was recorded is left out."""
    run = run_id()
    first = a_full_attempt(run_id=run, will_retry=True)
    output = Output(name="Captured log call", text="\x1b[31mwarned\x1b[0m\n", dropped_chars=1_234)
    keep(store, first, a_full_attempt(run_id=run, number=2, outputs=(output,)))

    said = stored.run("show", run, "--full")

    assert said.out.count("Traceback …") == 2
    assert "Captured stdout call" in said.out
    assert "hello" in said.out
    assert "Captured log call, without its first 1,234 characters\nwarned\n" in said.out
    assert "\x1b" not in said.out


def test_full_says_where_whatever_pytest_does(stored: Project, store: Store) -> None:
    """With pytest --tb=line the traceback has no place in it; the page has."""
    attempt = a_full_attempt()
    keep(store, attempt)

    said = stored.run("show", attempt.run_id, "--full")

    assert "  tests/test_shop.py:9\n  > assert total == 3\n\nTraceback …\n" in said.out


def test_broken_lines_keep_their_indentation(stored: Project, store: Store) -> None:
    """A message or a step that is longer than the terminal stays below its heading."""
    words = " ".join(f"word{number}" for number in range(30))
    steps = (
        Step(index=0, name="Pay"),
        Step(index=1, name=f"Enter {words}", parent=0),
    )
    error = Error(phase=Phase.CALL, type="OSError", message=words)
    attempt = an_attempt(status=Status.FAILED, errors=(error,), steps=steps, degraded=(words,))
    keep(store, attempt)

    lines = stored.run("show", attempt.run_id).out.splitlines()

    message = next(it for it in lines if "OSError:" in it and it.startswith("  "))
    rest = lines[lines.index(message) + 1 :]
    broken = [it for it in rest if it.strip().startswith("word")]
    assert len(broken) > 5
    assert all(it.startswith(("  word", "      word")) for it in broken)
    assert any(it.startswith("      word") for it in broken)


def test_paths_and_code_are_left_to_the_terminal(stored: Project, store: Store) -> None:
    """What one copies is in one piece, however narrow the terminal."""
    code = "    assert " + " + ".join(["a_number"] * 30)
    error = Error(phase=Phase.CALL, type="AssertionError", message="no", traceback=code)
    artifact = Artifact(name="page.png", path=f"artifacts/{'ab' * 50}.png", size_bytes=9)
    attempt = an_attempt(status=Status.FAILED, errors=(error,), artifacts=(artifact,))
    keep(store, attempt)

    lines = stored.run("show", attempt.run_id, "--full", width=60).out.splitlines()

    assert code in lines
    assert f"    .workflow-monitor/{artifact.path}" in lines


def test_all_attempts_together_took_longer(stored: Project, store: Store) -> None:
    """The duration is the last attempt's; how long a person waited for all of them is told."""
    run = run_id()
    attempts = [
        an_attempt(run_id=run, status=Status.FAILED, will_retry=True, started_at=at(1)),
        an_attempt(run_id=run, number=2, started_at=at(11)),
    ]
    keep(store, *attempts)

    assert "1.5 s, 2 attempts together 11.5 s\n" in trimmed(stored.run("show", run).out)


def test_a_long_message_is_cut_with_a_way_to_see_it(stored: Project, store: Store) -> None:
    """A message of many lines shows its beginning and how to see the rest."""
    message = "\n".join(f"line {number}" for number in range(40))
    error = Error(phase=Phase.CALL, type="AssertionError", message=message)
    attempt = an_attempt(status=Status.FAILED, errors=(error,))
    keep(store, attempt)

    brief = stored.run("show", attempt.run_id).out
    assert "and 28 more lines: --full" in brief
    assert "line 12" not in brief
    assert "line 39" in stored.run("show", attempt.run_id, "--full").out


def test_steps_form_a_tree_with_bars(stored: Project, store: Store) -> None:
    """Steps are indented below their parents and drawn where they ran."""
    steps = (
        Step(index=0, name="Pay", started_ms=0, duration_ms=1_000),
        Step(index=1, name="Enter the card", parent=0, started_ms=500, duration_ms=500),
    )
    attempt = an_attempt(steps=steps, duration_ms=1_000.0)
    keep(store, attempt)

    lines = [line.rstrip() for line in stored.run("show", attempt.run_id).out.splitlines()]

    start = lines.index(f"{'  ✓ Pay':20}   1.0 s  " + "━" * 24)
    assert lines[start + 1] == "    ✓ Enter the card  500 ms  " + " " * 12 + "━" * 12


def test_history_tells_since_when(stored: Project, store: Store) -> None:
    """What went before is shown as marks, with the words of the reports."""
    keep(store, an_attempt())
    keep(store, an_attempt(status=Status.FAILED, started_at=at(4_000)), start=3_600)
    last = an_attempt(status=Status.FAILED, started_at=at(8_000))
    keep(store, last, start=7_200)

    said = stored.run("show", last.run_id)

    assert "✓✗  failing since" in said.out


def test_json_is_the_documented_record(stored: Project, store: Store) -> None:
    """Programs get the execution as journal and reports have it, and nothing else."""
    attempt = a_full_attempt()
    keep(store, attempt)

    said = stored.run("show", attempt.run_id, "--json")

    execution = msgspec.json.decode(said.out, type=Execution)
    assert (execution.run_id, execution.status) == (attempt.run_id, Status.FAILED)
    assert execution.attempts[0].errors == attempt.errors


def test_a_beginning_of_an_id_will_do(stored: Project, store: Store) -> None:
    """An unambiguous beginning finds the execution; an ambiguous one names the candidates."""
    ids = ["0197aaaa-0000-7000-8000-000000000001", "0197aaaa-0000-7001-8000-000000000002"]
    keep(store, *(an_attempt(run_id=it) for it in ids))

    assert stored.run("show", ids[1][:18], "--json").json["run_id"] == ids[1]
    said = stored.run("show", "0197aaaa")
    assert said.code == 5
    assert said.err == (
        f"Error: '0197aaaa' is the beginning of several ids:\n  {ids[1]}\n  {ids[0]}\n"
    )


@pytest.mark.parametrize("prefix", ["0199", "not-an-id", "-", "e" * 40])
def test_an_unknown_id_is_one_sentence(stored: Project, prefix: str) -> None:
    """What cannot be an id, and what is none, end with exit code 5."""
    said = stored.run("show", "--", prefix)

    assert (said.code, said.out) == (5, "")
    assert said.err == f"Error: There is no execution whose id is, or begins with, {prefix!r}.\n"


def test_what_pages_reported_and_measured_is_shown(stored: Project, store: Store) -> None:
    """The first events with their marks, and of pages' numbers those beyond a budget."""
    run = run_id()
    events = tuple(
        Event(kind=EventKind.PAGE_ERROR, at_ms=1_000 + number, text=f"problem {number}\x1b[31m")
        for number in range(20)
    )
    slow = Metric(
        name="lcp_ms",
        value=4_320,
        unit="ms",
        page="/pay",
        threshold_value=2_500.0,
        is_within_threshold=False,
    )
    fine = Metric(name="cls", value=0.02, page="/pay")
    tried = an_attempt(
        run_id=run, status=Status.FAILED, events=events, events_dropped=3, metrics=(slow, fine)
    )
    keep(store, tried)

    said = stored.run("show", run)
    assert said.code == 0
    assert "! beyond 2.5 s  poor" in said.out
    assert "and 1 number of pages: --full" in said.out
    assert "Console and network: 20 page errors" in said.out
    assert "✗ page error  problem 11" in said.out
    assert "problem 12" not in said.out
    assert "and 8 more: --full" in said.out
    assert "3 beyond the limit were not kept" in said.out
    assert "\x1b" not in said.out
    full = stored.run("show", run, "--full")
    assert "problem 19" in full.out
    assert "cls" in full.out
