from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.selection import Wanted, goes_by, nearest, patterns, select
from pytest_workflow_monitor.model import Priority
from tests.samples import a_workflow

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

WORKFLOWS = [
    a_workflow("order-placement", priority=Priority.CRITICAL, tags=("shop", "revenue"), owner="a"),
    a_workflow("order-return", priority=Priority.HIGH, tags=("shop",), owner="b"),
    a_workflow("checkout[eur]", priority=Priority.LOW, tags=(), owner="b"),
    a_workflow("checkout[usd]", priority=Priority.LOW, tags=(), owner=""),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), ["order-placement", "order-return", "checkout[eur]", "checkout[usd]"]),
        (Wanted(ids=("order-return",)), ["order-return"]),
        (Wanted(ids=("order-*",)), ["order-placement", "order-return"]),
        (Wanted(ids=("*[eur]",)), ["checkout[eur]"]),
        (Wanted(ids=("checkout[???]",)), ["checkout[eur]", "checkout[usd]"]),
        (Wanted(ids=("checkout",)), ["checkout[eur]", "checkout[usd]"]),
        (Wanted(ids=("order-return", "checkout[eur]")), ["order-return", "checkout[eur]"]),
        (
            Wanted(priorities=(Priority.CRITICAL, Priority.HIGH)),
            ["order-placement", "order-return"],
        ),
        (Wanted(tags=("shop",), owners=("b",)), ["order-return"]),
        (Wanted(tags=("revenue", "shop")), ["order-placement", "order-return"]),
        (Wanted(ids=("order-*",), priorities=(Priority.HIGH,)), ["order-return"]),
    ],
    ids=str,
)
def test_several_values_widen_and_several_options_narrow(wanted: Wanted, found: list[str]) -> None:
    """Ids, globs and properties choose workflows, which keep the order of the suite."""
    assert [it.workflow_id for it in select(WORKFLOWS, wanted)] == found


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    """Nothing runs when one of the ids is mistyped, and the sentence names the right one."""
    with pytest.raises(NothingThereError) as caught:
        select(WORKFLOWS, Wanted(ids=("order-return", "order-placment")))

    assert str(caught.value) == (
        "There is no workflow 'order-placment'; did you mean order-placement?"
    )


def test_a_glob_that_matches_nothing_is_answered_too() -> None:
    """A glob is as good as an id when it comes to suggestions, and may lead nowhere."""
    with pytest.raises(NothingThereError, match=r"did you mean .*checkout\[eur\]"):
        select(WORKFLOWS, Wanted(ids=("checkouts*",)))
    with pytest.raises(NothingThereError, match="`workflow-monitor list` tells which there are"):
        select(WORKFLOWS, Wanted(ids=("zzz",)))
    with pytest.raises(NothingThereError, match="there are no workflows at all"):
        select([], Wanted(ids=("login",)))


def test_properties_that_nobody_has_are_named() -> None:
    """Options that leave nothing over are repeated in the sentence."""
    wanted = Wanted(priorities=(Priority.LOW,), tags=("shop",))

    with pytest.raises(NothingThereError, match="No workflow fits --priority low --tag shop"):
        select(WORKFLOWS, wanted)


def test_nearest_finds_parts_and_ignores_case() -> None:
    """A part of an id, in any case, is near; what has nothing in common is not."""
    known = [it.workflow_id for it in WORKFLOWS]

    assert nearest("RETURN", known) == ["order-return"]
    assert nearest("", known) == []
    assert nearest("qqqqqqq", known) == []


@pytest.mark.parametrize("name", ["order-*", "checkout", "checkout[eur]", "c?eck*", "100%", "a_b"])
def test_the_database_finds_the_same_by_patterns(store: Store, name: str) -> None:
    """A name means the same to a list of alerts as to a list of workflows."""
    ids = [*(it.workflow_id for it in WORKFLOWS), "check", "100%", "1000", "a_b", "axb", "a\\b"]
    rows = store.connection.execute(
        "SELECT id FROM unnest(%(ids)s::text[]) AS known (id) WHERE id LIKE ANY (%(like)s)",
        {"ids": ids, "like": patterns([name])},
    ).fetchall()
    assert [it["id"] for it in rows] == [it for it in ids if goes_by(it, name)]
    assert patterns([]) is None
