"""Planted secrets are found nowhere: not in files, not in rows, not in reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.masking.leaks import encodings, leaks, leaks_in_database, leaks_in_files
from tests.plugin.stored import documents

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Run, Suite

PASSWORD = "p&ss <w0rd>/\"é'\\+=%"
TOKEN = "ghp-7fQ2xLr9Kd81"
IN_URL = "dbPa55word"
CARD = "4929-0001-2345-6789"
SECRETS = [PASSWORD, TOKEN, IN_URL, CARD]
ENVIRONMENT = {
    "SHOP_PASSWORD": PASSWORD,
    "API_TOKEN": TOKEN,
    "PAYMENT_URL": f"https://shop:{IN_URL}@pay.example/v1",
}

LEAKY = """
    import json, logging, pathlib, sys
    import pytest
    from pytest_workflow_monitor import attach, degrade, label, mask, metric, step

    here = pathlib.Path(__file__).parent
    LEAKS = json.loads((here / "planted.json").read_text())
    mask(LEAKS["card"])
    TEXTS = LEAKS["texts"]

    @pytest.mark.workflow(retries=RETRIES, description="logs in with " + TEXTS[0])
    @pytest.mark.parametrize("n", range(len(TEXTS)), ids=lambda n: "way" + str(n))
    def test_leaks(n, request):
        leak = TEXTS[n]
        print("print", leak)
        print("stderr", leak, file=sys.stderr)
        logging.getLogger("shop").warning("log %s", leak)
        with step("Open " + leak):
            metric("size of " + leak, 1, unit=leak)
            label("label " + leak, leak)
        with step("May fail", optional=True):
            raise ValueError("optional " + leak)
        degrade("degraded by " + leak)
        attach(("text " + leak).encode(), "note " + leak + ".txt")
        attach(json.dumps({"body": leak, leak: [1, leak]}).encode(), "body.json")
        attach(b"\\x00binary " + leak.encode(), "binary.bin")
        attach(b"<p title='" + leak.encode() + b"'>", "page.html", "text/html; x=" + leak)
        local = {"Authorization": "Bearer " + leak}
        if n % 3 == 0:
            raise RuntimeError("failed with " + leak)
        if n % 3 == 1:
            with step("Fails " + leak):
                assert leak == "expected", local
        if n % 7 == 2:
            pytest.skip("skipped because of " + leak)

    @pytest.mark.workflow
    @pytest.mark.parametrize("leak", TEXTS[:20])
    def test_names(leak):
        pass
"""
PLACES = 17
"""How often a leak of the first workflow is written, at least."""


def plant(suite: Suite, *, retries: int = 0) -> list[str]:
    """Write the suite that leaks every secret in every encoding in every place."""
    texts = [text for secret in SECRETS for text in encodings(secret).values()]
    (suite.path / "planted.json").write_text(json.dumps({"card": CARD, "texts": texts}))
    suite.write("test_leaky.py", LEAKY.replace("RETRIES", str(retries)))
    assert len(texts) * PLACES > 200
    assert all(leaks(text.encode(), SECRETS) for text in texts), "the search must find all of them"
    return texts


def run_and_search(
    suite: Suite, database_url: str, *options: str
) -> tuple[Run, dict[str, set[str]]]:
    """Run the suite with all reports, and search for secrets in all that it left behind."""
    reports = suite.path / "reports"
    reports.mkdir()
    run = suite.run(
        *options,
        f"--workflow-report={reports / 'report.html'}",
        f"--workflow-json={reports / 'report.json'}",
        env={
            **ENVIRONMENT,
            "DATABASE_URL": database_url,
            "GITHUB_STEP_SUMMARY": str(reports / "summary.md"),
            "WORKFLOW_MONITOR_DEADLINE_SECONDS": "120",
        },
        warnings=True,
    )
    assert "stored in" in run.output, run.output
    assert sorted(path.name for path in reports.iterdir()) == [
        "report.html",
        "report.json",
        "summary.md",
    ], run.output
    found = leaks_in_files([suite.state_path, reports], SECRETS)
    return run, found | leaks_in_database(database_url, SECRETS)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_no_planted_secret_is_found_anywhere(
    suite: Suite, database_url: str, options: tuple[str, ...]
) -> None:
    """Every place × every encoding: state directory, database, HTML, JSON, GitHub summary."""
    texts = plant(suite)
    _, found = run_and_search(suite, database_url, *options)
    assert found == {}
    (document,) = documents(database_url)
    assert len(document.executions) >= len(texts)
    seen = document.executions[0].attempts[0]
    assert "[masked]" in seen.steps[0].name
    assert any("[masked]" in output.text for output in seen.outputs)


def test_each_attempt_is_masked(suite: Suite, database_url: str) -> None:
    """An attempt that is repeated is recorded as carefully as the last one."""
    plant(suite, retries=1)
    _, found = run_and_search(suite, database_url, "-k", "way0 or way1 or way18 or way34")
    assert found == {}
    (document,) = documents(database_url)
    assert {len(execution.attempts) for execution in document.executions} >= {1, 2}


def test_an_interrupted_session_leaves_no_secret(suite: Suite) -> None:
    """The flight recorder of a process that dies holds masked steps, also from before `mask`."""
    suite.write(
        "test_it.py",
        """
        import os
        import pytest
        from pytest_workflow_monitor import attach, mask, step

        @pytest.mark.workflow
        def test_dies():
            with step("Typed late-secret"):
                attach(b"late-secret", "late.txt")
            with step("Typed " + mask("late-secret")):
                os._exit(3)
        """,
    )
    suite.run()
    assert leaks_in_files([suite.state_path / "journal"], ["late-secret"]) == {}


def test_what_was_recorded_before_a_secret_was_known_is_masked(suite: Suite) -> None:
    """`mask` holds for the whole attempt, its attachments included."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import attach, mask, step

        @pytest.mark.workflow
        def test_it():
            with step("Typed late-secret"):
                attach(b"a late-secret", "late.txt")
            assert mask("late-secret") == "late-secret"
            assert mask(12345) == 12345
        """,
    )
    run = suite.run()
    assert run.summary == {"passed": 1}, run.output
    attempt = run.attempt()
    assert [step.name for step in attempt.steps] == ["Typed [masked]"]
    assert (suite.state_path / attempt.artifacts[0].path).read_bytes() == b"a [masked]"
    assert leaks_in_files([suite.state_path], ["late-secret"]) == {}


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["serial", "xdist"])
def test_what_was_prepared_before_a_secret_was_known_is_masked(
    suite: Suite, options: list[str]
) -> None:
    """The names of tests that are still to come are masked, too, also of those that just pass."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import mask

        @pytest.fixture(scope="session", autouse=True)
        def learnt():
            mask("zq-late-secret")

        @pytest.mark.parametrize("key", [f"{n}-zq-late-secret" for n in range(80)])
        def test_it(key):
            pass
        """,
    )
    run = suite.run(*options, "--workflow-all")
    names = {attempt.workflow.name for attempt in run.attempts}
    assert names == {f"test_it[{n}-[masked]]" for n in range(80)}, run.output
    assert leaks_in_files([suite.state_path / "journal"], ["zq-late-secret"]) == {}


def test_a_secret_that_one_worker_learnt_is_masked_for_others(
    suite: Suite, database_url: str
) -> None:
    """The controller and the shipper hear of it in memory, before they write the next record."""
    suite.write(
        "test_it.py",
        """
        import pathlib, time
        import pytest
        from pytest_workflow_monitor import mask, step

        here = pathlib.Path(__file__).parent

        @pytest.mark.workflow
        def test_knows():
            mask("only-one-knows")

        @pytest.mark.workflow
        def test_tells():
            while not (here / "known").exists():
                time.sleep(0.01)
            with step("Type only-one-knows"):
                pass
        """,
    )
    suite.write(
        "conftest.py",
        """
        import pathlib

        def pytest_runtest_logfinish(nodeid):
            if nodeid.endswith("test_knows"):
                (pathlib.Path(__file__).parent / "known").touch()
        """,
    )
    run = suite.run("-n", "2", env={"DATABASE_URL": database_url}, warnings=True)
    assert run.summary == {"passed": 2}, run.output
    assert leaks_in_database(database_url, ["only-one-knows"]) == {}


def test_without_monitoring_mask_only_returns_its_value(suite: Suite) -> None:
    """It can be written inline in suites that are not monitored."""
    suite.write(
        "test_it.py",
        """
        from pytest_workflow_monitor import mask

        def test_it():
            value = object()
            assert mask(value) is value
        """,
    )
    run = suite.run(monitored=False)
    assert run.summary == {"passed": 1}, run.output


def test_the_fingerprint_of_an_error_does_not_tell_the_secret(suite: Suite) -> None:
    """Equal failures with different passwords are one problem."""
    suite.write(
        "test_it.py",
        """
        import os
        import pytest

        @pytest.mark.workflow
        def test_it():
            raise ValueError("no login with " + os.environ["SHOP_PASSWORD"])
        """,
    )
    found = {
        suite.run(env={"SHOP_PASSWORD": value}).attempt().errors[0].fingerprint
        for value in ("first-one", "second & other")
    }
    assert len(found) == 1


def test_more_names_can_hold_secrets(suite: Suite, tmp_path: Path) -> None:
    """The setting `secret_names` adds parts of names; other variables stay readable."""
    suite.write(
        "test_it.py",
        """
        import os
        import pytest
        from pytest_workflow_monitor import label

        @pytest.mark.workflow
        def test_it():
            label("pin", os.environ["SHOP_PIN"])
            label("tenant", os.environ["SHOP_TENANT"])
        """,
    )
    env = {
        "SHOP_PIN": "83462",
        "SHOP_TENANT": "acme",
        "WORKFLOW_MONITOR_SECRET_NAMES": "_pin",
    }
    assert suite.run(env=env).attempt().labels == {"pin": "[masked]", "tenant": "acme"}
