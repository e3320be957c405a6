from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_workflow_monitor.alerting.matching import alert_facts, matches
from pytest_workflow_monitor.alerting.routing import Destination, destinations, is_open
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.settings.alert_rules import DEFAULT_ROUTES, Route
from tests.alerting.samples import an_alert

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (Priority.CRITICAL, Destination(channel="team")),
        (Priority.HIGH, Destination(channel="team")),
        (Priority.MEDIUM, Destination(channel="team", mention=False)),
        (Priority.LOW, Destination(channel="team", mention=False, digest=True)),
    ],
)
def test_without_routes_the_priority_decides(priority: Priority, expected: Destination) -> None:
    """Critical and high at once, medium without a mention, low in a digest."""
    facts = alert_facts(an_alert(priority=priority))
    assert destinations([facts], DEFAULT_ROUTES, ["team"], MONDAY_NOON) == (expected,)


def test_the_loudest_route_and_alert_win() -> None:
    """A channel hears of an incident once, however many routes and alerts lead there."""
    facts = [alert_facts(an_alert(priority=it)) for it in (Priority.LOW, Priority.HIGH)]
    found = destinations(facts, DEFAULT_ROUTES, ["team", "mail"], MONDAY_NOON)
    assert found == (Destination(channel="team"), Destination(channel="mail"))


def test_what_no_route_matches_goes_nowhere() -> None:
    """Routes choose; there is no hidden default beside them."""
    routes = [Route(match={"environment": ("staging",)})]
    assert destinations([alert_facts(an_alert())], routes, ["team"], MONDAY_NOON) == ()


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"workflow": ("log*",)}, True),
        ({"workflow": ("Log*",)}, False),
        ({"tag": ("slow", "smoke")}, True),
        ({"tag": ("slow",)}, False),
        ({"priority": ("high",), "owner": ("team-*",)}, True),
        ({"priority": ("high",), "owner": ("shop-*",)}, False),
        ({"kind": ("failing",), "status": ("failed", "timed_out")}, True),
    ],
)
def test_every_field_has_to_match_by_one_pattern(
    match: dict[str, tuple[str, ...]], *, fits: bool
) -> None:
    """Patterns are the shell's; capitals count."""
    assert matches(match, alert_facts(an_alert())) is fits


def test_brackets_of_a_parameter_match_as_they_are_written() -> None:
    """The id of a parametrised workflow is no pattern to its author."""
    facts = alert_facts(an_alert(workflow_id="checkout[eur]"))
    assert matches({"workflow": ("checkout[eur]",)}, facts)


@pytest.mark.parametrize(
    ("route", "hour", "is_it"),
    [
        (Route(hours=(480, 1080)), 8, True),
        (Route(hours=(480, 1080)), 18, False),
        (Route(hours=(480, 1080), timezone="America/New_York"), 8, False),
        (Route(hours=(1320, 360)), 23, True),
        (Route(hours=(1320, 360)), 5, True),
        (Route(hours=(1320, 360)), 12, False),
        (Route(days=(0,)), 12, True),
        (Route(days=(1,)), 12, False),
        (Route(hours=(1320, 360), days=(6,)), 5, True),
        (Route(hours=(1320, 360), days=(0,)), 5, False),
    ],
)
def test_a_route_holds_at_its_hours(route: Route, hour: int, *, is_it: bool) -> None:
    """In its own zone; a night belongs to the day on which it begins."""
    assert is_open(route, MONDAY_NOON.replace(hour=hour)) is is_it
