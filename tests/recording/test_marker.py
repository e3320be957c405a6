from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.cron import check
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.recording.marker import PARAMETERS, parse, slug, title

GIVEN: list[tuple[str, Any, Any]] = [
    ("id", "checkout.eur/2", "checkout.eur/2"),
    ("id", None, None),
    ("id", "x" * 200, "x" * 200),
    ("name", "Check out ✓", "Check out ✓"),
    ("description", "", ""),
    ("type", "api", "api"),
    ("priority", "critical", Priority.CRITICAL),
    ("priority", Priority.LOW, Priority.LOW),
    ("cron", "*/5 * * * *", "*/5 * * * *"),
    ("cron", None, None),
    ("every", "5m", 300),
    ("every", 1, 1),
    ("every", "366d", 31_622_400),
    ("every", None, None),
    ("timezone", "Europe/Berlin", "Europe/Berlin"),
    ("timezone", "UTC", "UTC"),
    ("timeout", "1m30s", 90.0),
    ("timeout", 5, 5.0),
    ("timeout", None, None),
    ("retries", 0, 0),
    ("retries", 100, 100),
    ("retry_delay", "250ms", 0.25),
    ("retry_delay", 0, 0.0),
    ("retry_backoff", 1, 1.0),
    ("retry_backoff", 2.5, 2.5),
    ("tags", "one", ("one",)),
    ("tags", ["b", "a"], ("b", "a")),
    ("tags", {"b", "a"}, ("a", "b")),
    ("tags", (), ()),
    ("owner", "team-a", "team-a"),
    ("runbook", "https://wiki/x", "https://wiki/x"),
    ("labels", {"tenant": "acme", "level": 3}, {"tenant": "acme", "level": "3"}),
    ("environments", "production", ("production",)),
    ("environments", ["a", "b"], ("a", "b")),
    ("enabled", False, False),
    ("degraded_after", "2s", 2.0),
    ("degraded_after", None, None),
    ("notify_on_failure", False, False),
    ("notify_on_success", True, True),
    ("budgets", {"lcp_ms": 2500, "console_errors": 0}, {"lcp_ms": 2500.0, "console_errors": 0.0}),
    ("suspicious_passes", False, False),
    ("queue", "eu-west.1", "eu-west.1"),
    ("overlap", "cancel-previous", "cancel-previous"),
    ("grace", "90s", 90.0),
    ("grace", 0, 0.0),
    ("grace", None, None),
    ("limit", "1h", 3600.0),
    ("limit", None, None),
    ("slo", 99.9, 99.9),
    ("slo", 50, 50.0),
    ("slo", None, None),
    ("window", "30d", 2_592_000.0),
    ("window", 3600, 3600.0),
    ("window", None, None),
]
REFUSED: list[tuple[str, Any, str]] = [
    ("id", "", "expected an id of 1 to 200 characters without white space and square brackets"),
    ("id", "two words", "expected an id"),
    ("id", "x[eur]", "expected an id"),
    ("id", "line\n", "expected an id"),
    ("id", "x" * 201, "expected an id"),
    ("id", 17, "expected an id"),
    ("name", None, "expected a text"),
    ("description", 1, "expected a text"),
    ("type", ["api"], "expected a text"),
    ("priority", "urgent", "expected one of critical, high, medium, low"),
    ("priority", "High", "expected one of"),
    ("priority", ["high"], "expected one of"),
    ("priority", None, "expected one of"),
    ("cron", "every minute", "not a cron expression (it has 2 fields)"),
    ("cron", 5, "expected a cron expression as text"),
    ("every", "250ms", "expected a duration of whole seconds from 1s to 366d"),
    ("every", 0, "expected a duration of whole seconds"),
    ("every", 1.5, "expected a duration of whole seconds"),
    ("every", "367d", "expected a duration of whole seconds"),
    ("every", "often", "expected seconds as a number, or text such as"),
    ("timezone", "Berlin", "expected an IANA time zone such as 'Europe/Berlin' or 'UTC'"),
    ("timezone", "", "expected an IANA time zone"),
    ("timezone", "../../etc/passwd", "expected an IANA time zone"),
    ("timezone", "/etc/passwd", "expected an IANA time zone"),
    ("timezone", "Europe", "expected an IANA time zone"),
    ("timezone", "x\0y", "expected an IANA time zone"),
    ("timezone", None, "expected a text"),
    ("timeout", 0, "expected a duration above zero"),
    ("timeout", -1, "a duration cannot be negative or infinite"),
    ("timeout", "soon", "expected seconds as a number, or text such as"),
    ("timeout", True, "expected seconds as a number"),
    ("retries", -1, "expected a whole number from 0 to 100"),
    ("retries", 101, "expected a whole number from 0 to 100"),
    ("retries", True, "expected a whole number"),
    ("retries", 1.0, "expected a whole number"),
    ("retries", "2", "expected a whole number"),
    ("retry_delay", -0.1, "a duration cannot be negative"),
    ("retry_delay", None, "expected seconds"),
    ("retry_backoff", 0.5, "expected a number from 1 to 100"),
    ("retry_backoff", float("nan"), "expected a number from 1 to 100"),
    ("retry_backoff", "2", "expected a number from 1 to 100"),
    ("tags", "", "expected a text or a list of texts"),
    ("tags", ["a", ""], "expected a text or a list of texts"),
    ("tags", [1], "expected a text or a list of texts"),
    ("tags", None, "expected a text or a list of texts"),
    ("owner", None, "expected a text"),
    ("runbook", b"x", "expected a text"),
    ("labels", ["a"], "expected a dict of names and values"),
    ("labels", {1: "a"}, "expected a dict of names and values"),
    ("environments", {"a": 1}, "expected a text or a list of texts"),
    ("enabled", 1, "expected True or False"),
    ("enabled", "yes", "expected True or False"),
    ("degraded_after", 0, "expected a duration above zero"),
    ("notify_on_failure", None, "expected True or False"),
    ("notify_on_success", 0, "expected True or False"),
    ("budgets", ["lcp_ms"], "expected a dict of metric names"),
    ("budgets", {"lcp_ms": -1}, "the budget of 'lcp_ms' is -1; expected a number from 0"),
    ("budgets", {"lcp_ms": "2s"}, "expected a number from 0"),
    ("suspicious_passes", "no", "expected True or False"),
    ("queue", "", "expected a name of 1 to 60 letters, digits, dots, hyphens and underscores"),
    ("queue", "eu west", "expected a name"),
    ("queue", "x" * 61, "expected a name"),
    ("queue", None, "expected a name"),
    ("overlap", "wait", "expected one of skip, queue, cancel-previous"),
    ("overlap", None, "expected one of"),
    ("grace", -1, "a duration cannot be negative"),
    ("grace", "soon", "expected seconds"),
    ("limit", 0, "expected a duration above zero"),
    ("slo", 100, "expected per cent from 50 to below 100, such as 99.9"),
    ("slo", 0.999, "expected per cent"),
    ("slo", "99.9", "expected per cent"),
    ("slo", True, "expected per cent"),
    ("slo", float("nan"), "expected per cent"),
    ("window", "30m", "expected a duration from 1h to 366d"),
    ("window", "367d", "expected a duration from 1h to 366d"),
    ("window", "month", "expected seconds as a number, or text such as"),
]


@pytest.mark.parametrize(("name", "value", "expected"), GIVEN)
def test_a_parameter_is_converted(name: str, value: Any, expected: Any) -> None:
    """Each parameter takes what people write and becomes what is recorded."""
    assert parse((), {name: value}, check) == ({name: expected}, [])


@pytest.mark.parametrize(("name", "value", "reason"), REFUSED)
def test_a_mistake_is_one_sentence(name: str, value: Any, reason: str) -> None:
    """The parameter, the value as written, and what is allowed, on one line."""
    given_parameters, (problem,) = parse((), {name: value}, check)
    assert given_parameters == {}
    assert problem.startswith(f"{name}=")
    assert reason in problem
    assert problem.endswith(".")
    assert "\n" not in problem


def test_every_parameter_is_proven_above() -> None:
    """A new parameter needs a value it takes and one it refuses."""
    assert {name for name, _, _ in GIVEN} == set(PARAMETERS)
    assert {name for name, _, _ in REFUSED} == set(PARAMETERS)


def test_the_id_may_stand_first() -> None:
    """`workflow("checkout")` is `workflow(id="checkout")`; twice or two are mistakes."""
    assert parse(("checkout",), {}, check) == ({"id": "checkout"}, [])
    _, problems = parse(("a",), {"id": "b"}, check)
    assert problems == ["workflow() got the id twice, as positional and as keyword argument."]
    _, problems = parse(("a", "b"), {}, check)
    assert problems == ["workflow() takes one positional argument, the id, but got 2: ('a', 'b')."]


def test_cron_and_every_exclude_each_other() -> None:
    """A workflow has one schedule; `None` is none."""
    _, problems = parse((), {"cron": "@daily", "every": "5m"}, check)
    assert problems == [
        "cron='@daily' and every='5m': a workflow has one schedule; give one of them."
    ]
    _, problems = parse((), {"cron": None, "every": "5m"}, check)
    assert not problems


def test_an_unknown_parameter_names_the_nearest() -> None:
    """A typing error finds its word; anything else the list of words."""
    _, (problem,) = parse((), {"retrys": 1}, check)
    assert problem.startswith("unknown parameter 'retrys'; did you mean 'retries'? Allowed are id,")
    _, (problem,) = parse((), {"zzz": 1}, check)
    assert problem.startswith("unknown parameter 'zzz'; Allowed are id,")


def test_all_mistakes_of_one_mark_are_told_and_the_rest_is_kept() -> None:
    """One mistake hides no other."""
    given_parameters, problems = parse(
        (), {"priority": "x", "retries": -1, "owner": "me", "nonsense": 0}, check
    )
    assert given_parameters == {"owner": "me"}
    assert len(problems) == 3


ANYTHING = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.none(),
    st.binary(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.integers()),
)


@given(st.sampled_from(sorted(PARAMETERS)), ANYTHING)
def test_any_value_is_taken_or_refused(name: str, value: Any) -> None:
    """No value leads to an exception."""
    given_parameters, problems = parse((), {name: value}, check)
    assert (name in given_parameters) == (not problems)
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test_user_login", "user-login"),
        ("test_UserLogin", "userlogin"),
        ("testLogin", "login"),
        ("test2fa", "2fa"),
        ("test", "test"),
        ("test_", "test"),
        ("testing_the_waters", "testing-the-waters"),
        ("login", "login"),
        ("test__double__under", "double-under"),
        ("test_größe_ß", "größe-ß"),
        ("module.function", "module-function"),
        ("___", "test"),
    ],
)
def test_a_slug_is_the_name_without_test(name: str, expected: str) -> None:
    """Lower case, hyphens, no `test_`, never empty."""
    assert slug(name) == expected


@given(st.from_regex(r"[^\W\d]\w{0,40}", fullmatch=True))
def test_a_slug_is_an_id(name: str) -> None:
    """Whatever Python allows as a function's name makes an id that the marker itself would take."""
    made = slug(name)
    assert parse((made,), {}, check) == ({"id": made}, [])
    assert slug(made) == made or made.startswith("test")


@pytest.mark.parametrize(
    ("workflow_id", "expected"),
    [
        ("user-login", "User login"),
        ("shop.user-login", "User login"),
        ("shop.user-login[eur]", "User login [eur]"),
        ("x[a.b]", "X [a.b]"),
        ("API-check", "API check"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_a_title_is_for_people(workflow_id: str, expected: str) -> None:
    """The last part of the id in words, and the parameters."""
    assert title(workflow_id) == expected


@given(st.text(min_size=1))
def test_any_id_has_a_title(workflow_id: str) -> None:
    """Whatever a parameter's id holds."""
    assert title(workflow_id)
