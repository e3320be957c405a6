"""Whole sessions whose exit code the gate decides. Real PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import SessionEnded, SessionStarted
from pytest_workflow_monitor.store import Store
from tests.plugin.conftest import NO_DATABASE
from tests.plugin.test_activation import SHOW_IMPORTS
from tests.plugin.test_faults import lines_of
from tests.samples import an_attempt, run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.plugin.conftest import Run, Suite

TESTS = """
    import os, time
    import pytest
    from pytest_workflow_monitor import metric

    tried = set()

    def act(name):
        what, _, why = os.environ.get(name, "").partition(":")
        if what == "fail":
            assert False, why
        if what == "flaky" and name not in tried:
            tried.add(name)
            assert False, why
        if what == "slow":
            time.sleep(0.2)
        if what == "large":
            metric("weight", 9, unit="kB", threshold=3)
        if what == "stop":
            raise KeyboardInterrupt
        if what == "die":
            os._exit(9)

    @pytest.mark.workflow(priority="critical", retries=1)
    def test_login(): act("LOGIN")

    @pytest.mark.workflow(priority="low", retries=1)
    def test_order(): act("ORDER")

    def test_unit(): act("UNIT")
"""

ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "c0ffee"}
MAIN: dict[str, Any] = {"GITHUB_REF_NAME": "main", "GITHUB_BASE_REF": ""}
CHANGE = {**ACTIONS, "GITHUB_REF_NAME": "7/merge", "GITHUB_BASE_REF": "main"}
LENIENT = {"allowed_failures": {"critical": "any", "low": "any"}}


class Shop:
    """A suite whose tests do what environment variables say, in sessions with a gate."""

    def __init__(self, suite: Suite, database_url: str) -> None:
        self.suite = suite
        self.database_url = database_url
        suite.write("test_shop.py", TESTS)

    def run(self, *options: str, rules: Mapping[str, Any] | None = None, **variables: str) -> Run:
        """Run a change's session, unless other variables say where it runs."""
        env = {"DATABASE_URL": self.database_url, **CHANGE, **variables}
        env["WORKFLOW_MONITOR_GATE"] = json.dumps(rules or {})
        arguments = ("--workflow-gate", "--workflow-project=shop", *options)
        return self.suite.run(*arguments, env=env, monitored=False)

    def remember(self, *, seconds: float = 0.01, runs: int = 12) -> None:
        """Let the base branch have passed so often, in so many seconds."""
        now = datetime.now(UTC)
        with Store(self.database_url) as store:
            for number in range(runs):
                started_at = now - timedelta(hours=runs - number)
                session = SessionStarted(
                    session_id=run_id(),
                    project="shop",
                    environment="local",
                    git_branch="main",
                    started_at=started_at,
                )
                attempts = [
                    an_attempt(name, started_at=started_at, duration_ms=seconds * 1000, steps=())
                    for name in ("login", "order")
                ]
                ended = SessionEnded(ended_at=started_at + timedelta(seconds=1))
                ingest(store, session, Batch(attempts=attempts, ended=ended))


@pytest.fixture
def shop(suite: Suite, database_url: str) -> Shop:
    """Return the suite with a database of its own."""
    return Shop(suite, database_url)


def gate_of(run: Run) -> list[str]:
    """What the terminal says of the gate: its headline and its reasons."""
    lines = lines_of(run)
    first = next(n for n, line in enumerate(lines) if line.startswith("gate: "))
    rest = lines[first:]
    end = next((n for n, line in enumerate(rest) if n and not line.startswith("  ✗ ")), len(rest))
    return rest[:end]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_allowed_failures_end_with_0_and_others_with_1(
    shop: Shop, options: tuple[str, ...]
) -> None:
    """The exit code follows the gate, plain and under xdist, each time anew."""
    rules = {"allowed_failures": {"low": 1}}
    for _ in range(2):
        run = shop.run(*options, rules=rules, ORDER="fail:declined")
        assert run.summary == {"passed": 2, "failed": 1, "rerun": 1}
        assert gate_of(run) == ["gate: passed, exit code 0 instead of 1"]
        assert run.result.ret == 0
    run = shop.run(*options, rules=rules, ORDER="fail:declined", LOGIN="fail:no such user")
    assert run.result.ret == 1
    headline, *reasons = gate_of(run)
    assert headline == "gate: failed, exit code 1"
    assert reasons == ["  ✗ 1 critical workflow fails, 0 allowed: login"]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_a_failure_that_is_no_workflow_is_pytests_own(shop: Shop, options: tuple[str, ...]) -> None:
    """The gate allows nothing there."""
    run = shop.run(*options, rules=LENIENT, ORDER="fail:declined", UNIT="fail:2 != 3")
    assert run.result.ret == 1
    assert gate_of(run) == [
        "gate: failed, exit code 1",
        "  ✗ 1 failure outside of workflows: test_shop.py::test_unit",
    ]


@pytest.mark.parametrize(
    ("rules", "found", "said"),
    [
        ({"allowed_flaky": 0}, "flaky:declined", "1 workflow passes only by a retry, 0 allowed"),
        ({"allow_broken_budgets": False}, "large:", "order: weight 9 kB of 3 kB"),
        ({"max_p95_ratio": 3}, "slow:", "1 workflow slower than 3 × the p95 of main: order 2"),
        ({"allow_new_errors": False}, "flaky:odd", "order: odd"),
        ({"min_success_rate": 60, **LENIENT}, "fail:odd", "50 % of 2 executions succeed"),
    ],
    ids=["flaky", "budget", "p95", "new error", "success rate"],
)
def test_a_rule_closes_the_gate_only_when_it_is_on(
    shop: Shop, rules: dict[str, Any], found: str, said: str
) -> None:
    """A green run becomes red by it, and stays green without it."""
    shop.remember()
    run = shop.run(rules=rules, ORDER=found)
    assert run.result.ret == 1, run.output
    assert said in gate_of(run)[1]
    assert shop.run(rules=LENIENT, ORDER=found).result.ret == 0
    assert shop.run(rules=rules).result.ret == 0


def test_errors_are_compared_with_the_base_branch(shop: Shop) -> None:
    """What main shows too is not new; what only other changes showed is."""
    rules = {"allow_new_errors": False, **LENIENT}
    shop.run(ORDER="fail:declined 12 times", **MAIN)
    known = shop.run(rules=rules, ORDER="fail:declined 7 times")
    assert known.result.ret == 0, known.output
    for _ in range(2):
        new = shop.run(rules=rules, ORDER="fail:no answer")
        assert new.result.ret == 1
        assert gate_of(new)[1] == "  ✗ 1 error never seen on main: order: no answer"
    other = shop.run(rules={**rules, "base_branch": "release"}, ORDER="fail:no answer")
    assert other.result.ret == 0
    assert "not judged: allow_new_errors (nothing ran on release there)" in gate_of(other)[0]


def test_what_fails_in_production_is_excused_and_named(shop: Shop) -> None:
    """By the same error only, until production recovers."""
    rules = {"excuse_environment": "production"}
    production = "--workflow-environment=production"
    shop.run(production, ORDER="fail:declined", LOGIN="fail:no such user")
    run = shop.run(rules=rules, ORDER="fail:declined")
    assert run.result.ret == 0, run.output
    assert gate_of(run) == [
        "gate: passed, exit code 0 instead of 1; excused, fails in production too: order"
    ]
    other = shop.run(rules=rules, ORDER="fail:declined", LOGIN="fail:locked")
    assert other.result.ret == 1
    assert gate_of(other)[1] == "  ✗ 1 critical workflow fails, 0 allowed: login"
    shop.run(production)
    assert shop.run(rules=rules, ORDER="fail:declined").result.ret == 1


def test_without_a_database_the_session_judges_itself(shop: Shop) -> None:
    """The rules that need no history hold, the others are named."""
    shop.database_url = NO_DATABASE
    rules = {"allow_new_errors": False, "max_p95_ratio": 2, "excuse_environment": "production"}
    run = shop.run(rules={**rules, **LENIENT}, ORDER="fail:declined")
    assert run.result.ret == 0
    (said,) = gate_of(run)
    assert said == (
        "gate: passed, exit code 0 instead of 1; not judged: allow_new_errors, max_p95_ratio, "
        "excuse_environment (the database cannot be asked)"
    )
    assert shop.run(rules=rules, ORDER="fail:declined").result.ret == 1


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_past_the_deadline_the_session_judges_itself(shop: Shop, options: tuple[str, ...]) -> None:
    """It does not wait longer for the gate than for anything else; retries count as ever."""
    found = {"ORDER": "fail:declined", "LOGIN": "flaky:late"}
    late = {"WORKFLOW_MONITOR_DEADLINE_SECONDS": "0", **found}
    run = shop.run(*options, rules={"allow_new_errors": False, **LENIENT}, **late)
    assert run.result.ret == 0
    assert "not judged: allow_new_errors (no answer within deadline_seconds)" in gate_of(run)[0]
    run = shop.run(*options, rules={"allowed_flaky": 0, **LENIENT}, **late)
    assert run.result.ret == 1
    assert gate_of(run)[1] == "  ✗ 1 workflow passes only by a retry, 0 allowed: login"


def test_a_session_without_a_journal_is_judged_too(shop: Shop) -> None:
    """Where nothing can be recorded, the gate still decides."""
    shop.suite.write("taken", "a file where a folder should be")
    options = ("--workflow-state-dir=taken",)
    assert shop.run(*options, rules=LENIENT, ORDER="fail:declined").result.ret == 0
    assert shop.run(*options, ORDER="fail:declined").result.ret == 1


@pytest.mark.parametrize(
    ("options", "found", "status", "said"),
    [
        (("-x",), "fail:declined", 1, "  ✗ pytest stopped before everything had run"),
        (("-x", "-n", "2"), "fail:declined", 2, "gate: not judged"),
        ((), "stop:", 2, "gate: not judged, pytest ended with exit code 2"),
        (("-k", "nothing"), "", 5, "gate: not judged, pytest ended with exit code 5"),
    ],
    ids=["stopped", "stopped under xdist", "interrupted", "no tests"],
)
def test_a_session_that_did_not_run_to_its_end_keeps_pytests_exit_code(
    shop: Shop, options: tuple[str, ...], found: str, status: int, said: str
) -> None:
    """Nobody knows how the rest would have gone."""
    run = shop.run(*options, rules=LENIENT, LOGIN=found)
    assert run.result.ret == status, run.output
    assert any(line.startswith(said) for line in gate_of(run))


def test_what_cannot_be_collected_is_no_workflow(shop: Shop) -> None:
    """A broken file is a failure that the gate does not excuse."""
    shop.suite.write("test_broken.py", "import nothing_of_that_name")
    run = shop.run("--continue-on-collection-errors", rules=LENIENT, ORDER="fail:declined")
    assert run.result.ret == 1
    assert gate_of(run)[1] == "  ✗ 1 failure outside of workflows: test_broken.py"
    assert shop.run(rules=LENIENT).result.ret == 2


def test_another_plugins_verdict_holds(shop: Shop) -> None:
    """One that fails the session without a test, as for lack of coverage."""
    shop.suite.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtestloop(session):
            yield
            session.testsfailed += 1
        """,
    )
    run = shop.run(rules=LENIENT, ORDER="fail:declined")
    assert run.result.ret == 1
    assert gate_of(run)[1] == "  ✗ 1 failure outside of workflows"


def test_the_ini_file_switches_the_gate_on_and_an_option_off(shop: Shop) -> None:
    """With monitoring; the settings file holds its rules."""
    shop.suite.write(
        "pyproject.toml",
        """
        [tool.pytest.ini_options]
        workflow_monitor = true
        workflow_gate = true

        [tool.workflow_monitor.gate]
        allowed_failures = { low = "any" }
        """,
    )
    env = {"DATABASE_URL": shop.database_url, "ORDER": "fail:declined"}
    assert shop.suite.run(monitored=False, env=env).result.ret == 0
    plain = shop.suite.run("--no-workflow-gate", monitored=False, env=env)
    assert plain.result.ret == 1
    assert "gate:" not in plain.output


def test_the_summary_of_the_job_tells_what_is_new_and_what_is_excused(shop: Shop) -> None:
    """Reasons first, then each error and how it stands to the base branch and to production."""
    shop.run("--workflow-environment=production", LOGIN="fail:no such user")
    shop.run(**MAIN)
    summary = shop.suite.write("summary.md", "")
    run = shop.run(
        "--workflow-report=report.html",
        "--workflow-ctrf=ctrf.json",
        rules={"excuse_environment": "production", "allow_new_errors": False},
        LOGIN="fail:no such user",
        ORDER="fail:declined",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert run.result.ret == 1
    text = summary.read_text(encoding="utf-8")
    assert "### ✗ Gate failed: exit code 1\n\n- 1 low workflow fails, 0 allowed" in text
    new = text.index("**New against <code>main</code>**")
    excused = text.index("**Excused: fails in <code>production</code> too**")
    assert new < text.index("declined", new) < excused
    assert "passes there: 1 execution, the last one " in text[new:excused]
    assert "no such user" in text[excused : text.index("| Status |")]
    assert "last seen there" in text[excused:]
    assert "Gate failed: exit code 1" in (shop.suite.path / "report.html").read_text("utf-8")
    ctrf = json.loads((shop.suite.path / "ctrf.json").read_bytes())
    assert ctrf["extra"]["gate"]["exit_status"] == 1


def test_the_terminal_summary_stays_short(shop: Shop) -> None:
    """In ten lines with its headline, however many reasons and reports there are."""
    rules = {"allowed_flaky": 0, "min_success_rate": 99, "allow_new_errors": False}
    run = shop.run(
        *("--workflow-report=a.html", "--workflow-json=a.json", "--workflow-ctrf=a.ctrf.json"),
        rules=rules,
        LOGIN="fail:no such user",
        ORDER="flaky:declined",
        UNIT="fail:2 != 3",
    )
    said = lines_of(run)
    assert len(said) <= 9
    assert gate_of(run)[0].startswith("gate: failed, exit code 1; not judged: allow_new_errors")
    assert gate_of(run)[-1] == "  ✗ and 2 more reasons"
    assert sum(line.startswith("report: ") for line in said) == 3


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_the_gate_costs_pytest_no_import(shop: Shop, options: tuple[str, ...]) -> None:
    """The database is asked by another process."""
    shop.suite.write("conftest.py", SHOW_IMPORTS)
    run = shop.run("-s", *options, rules={"allow_new_errors": False}, ORDER="fail:declined")
    assert "imported: msgspec pytest_workflow_monitor.settings ." in run.output
    assert run.result.ret == 1


def test_a_worker_that_crashes_fails_its_workflow_and_nothing_else(shop: Shop) -> None:
    """What the gate allows of a workflow holds for the death of its process, too."""
    rules = {"allowed_failures": {"low": 1}}
    run = shop.run("-n", "2", rules=rules, ORDER="die:")
    assert run.result.ret == 0, run.output
    assert shop.run("-n", "2", rules=rules, LOGIN="die:").result.ret == 1
    other = shop.run("-n", "2", rules=rules, UNIT="die:")
    assert other.result.ret == 1
    assert gate_of(other)[1].startswith("  ✗ 1 failure outside of workflows: test_shop.py::test_u")


def test_without_a_background_process_the_session_judges_itself(shop: Shop) -> None:
    """If it was killed, the rules that need no history hold."""
    shop.suite.write(
        "conftest.py",
        """
        import psutil, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish():
            for child in psutil.Process().children():
                if "pytest_workflow_monitor.shipper" in child.cmdline():
                    child.kill()
                    child.wait()
        """,
    )
    run = shop.run(rules={"allow_new_errors": False, **LENIENT}, ORDER="fail:declined")
    assert run.result.ret == 0, run.output
    assert "not judged: allow_new_errors (the background process ended)" in gate_of(run)[0]
