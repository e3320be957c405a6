"""JUnit XML that pytest writes of a monitored session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Run, Suite

TESTS = """
    import os
    import pytest
    from pytest_workflow_monitor import degrade, step

    tries = []

    @pytest.mark.workflow(priority="high", owner="team-web", tags=["smoke", "web"])
    def test_login(record_property):
        record_property("browser", "none")
        with step("Open"):
            pass

    @pytest.mark.workflow(retries=1)
    def test_order():
        tries.append(1)
        with step("Fill the cart"):
            pass
        with step("Pay"):
            with step("Submit the card"):
                assert len(tries) > 1, "declined"

    @pytest.mark.workflow
    def test_search():
        degrade("the index is old: " + os.environ.get("API_TOKEN", ""))

    def test_plain(): pass
"""


def cases(run: Run, suite: Suite) -> dict[str, list[dict[str, str]]]:
    """Return the properties of each test case by its name, in the order of the file."""
    found: dict[str, list[dict[str, str]]] = {}
    for case in ET.parse(suite.path / "junit.xml").iter("testcase"):  # noqa: S314 - our own file
        properties = {it.attrib["name"]: it.attrib["value"] for it in case.iter("property")}
        found.setdefault(case.attrib["name"], []).append(properties)
    assert found, run.output
    return found


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_a_test_case_says_which_workflow_it_is(suite: Suite, options: tuple[str, ...]) -> None:
    """In properties beside those of the test itself, for each attempt its own; also under xdist."""
    suite.write("test_shop.py", TESTS)
    run = suite.run(
        "--junitxml=junit.xml", *options, env={"API_TOKEN": "s3cr3t-t0ken"}, warnings=True
    )
    found = cases(run, suite)
    (login,) = found["test_login"]
    assert login.pop("workflow_run_id") == run.execution("login").run_id
    assert login == {
        "browser": "none",
        "workflow_id": "login",
        "workflow_name": "Login",
        "workflow_priority": "high",
        "workflow_owner": "team-web",
        "workflow_tags": "smoke, web",
        "workflow_status": "passed",
        "workflow_attempt": "1",
        "workflow_steps": "1",
    }
    first, second = found["test_order"]
    assert first["workflow_run_id"] == second["workflow_run_id"]
    assert (first["workflow_attempt"], second["workflow_attempt"]) == ("1", "2")
    assert (first["workflow_status"], second["workflow_status"]) == ("failed", "passed")
    assert first["workflow_will_retry"] == "true"
    assert first["workflow_failed_step"] == "Submit the card"
    assert first["workflow_steps"] == "3"
    assert "workflow_will_retry" not in second
    (search,) = found["test_search"]
    assert search["workflow_degraded"].startswith("the index is old: ")
    assert "s3cr3t" not in (suite.path / "junit.xml").read_text()
    assert found["test_plain"] == [{}]


@pytest.mark.parametrize(
    ("monitored", "env"),
    [(False, {}), (True, {"WORKFLOW_MONITOR_JUNIT_PROPERTIES": "false"})],
    ids=["not monitored", "switched off"],
)
def test_nothing_is_added_unless_it_is_wanted(
    suite: Suite, env: dict[str, str], *, monitored: bool
) -> None:
    """A strict reader of the schema finds what pytest writes by itself."""
    suite.write("test_shop.py", "import pytest\n@pytest.mark.workflow\ndef test_login(): pass\n")
    run = suite.run("--junitxml=junit.xml", monitored=monitored, env=env)
    assert cases(run, suite) == {"test_login": [{}]}
