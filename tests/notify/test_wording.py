from __future__ import annotations

import msgspec
import pytest

from pytest_workflow_monitor.notify.messages import Message
from pytest_workflow_monitor.notify.samples import SAMPLES, samples
from pytest_workflow_monitor.notify.wording import Tone, story, text
from pytest_workflow_monitor.words.alerts import AlertKind, NotificationKind
from tests.notify.messages import AT, many, sample


def labels(message: Message) -> list[str]:
    """Return the names of a message's facts."""
    return [fact.label for fact in story(message).facts]


def test_a_failure_tells_its_facts_in_order() -> None:
    """What, where and since when come before why and whose."""
    assert labels(sample("failure")) == [
        "Workflow",
        "Environment",
        "Failing step",
        "Priority",
        "Since",
        "Before",
        "Duration",
        "Failed steps",
        "Likely cause",
        "Reason",
        "Owner",
        "Run",
    ]


def test_a_recovery_tells_how_long_it_lasted_and_what_it_was() -> None:
    """Nothing in it reads as if the problem continued."""
    told = story(sample("resolved"))
    facts = {fact.label: fact.text for fact in told.facts}
    assert facts["Began"] == "14:20 UTC, lasted 58 min"
    assert facts["Error"].startswith("AssertionError")
    assert not {"Since", "Failing step", "Failed steps"} & facts.keys()
    assert (told.tone, told.error, told.picture) == (Tone.PASSED, (), None)


def test_who_acknowledged_and_why_comes_first() -> None:
    """That is the news."""
    lead = story(sample("acknowledged")).lead
    assert lead == "Acknowledged by maria: the payment provider is working on it"


def test_what_the_monitor_itself_did_has_no_actor() -> None:
    """``by monitor`` says nothing."""
    message = msgspec.structs.replace(sample("resolved"), title="It works", actor="monitor")
    assert story(message).lead == "Resolved after 58 min"


@pytest.mark.parametrize(
    ("kind", "word", "tone"),
    [
        (AlertKind.FAILING, "Failed", Tone.FAILED),
        (AlertKind.DEGRADED, "Degraded", Tone.DEGRADED),
        (AlertKind.FLAPPING, "Flapping", Tone.DEGRADED),
        (AlertKind.MASKED, "Passes only by retry", Tone.DEGRADED),
        (AlertKind.MISSED, "Did not run", Tone.FAILED),
        (AlertKind.RUNNER, "Monitoring problem", Tone.FAILED),
        (AlertKind.BURNING, "Burns its error budget", Tone.FAILED),
    ],
)
def test_each_kind_of_problem_has_its_word(kind: AlertKind, word: str, tone: Tone) -> None:
    """A warning does not look like a failure."""
    message = sample("failure")
    item = msgspec.structs.replace(message.items[0], kind=kind)
    told = story(msgspec.structs.replace(message, items=(item,)))
    assert (told.word, told.tone) == (word, tone)


def test_several_alerts_are_told_in_brief_and_the_rest_by_name() -> None:
    """Nothing is left out: what is not named is counted."""
    told = story(msgspec.structs.replace(many(60), counts={"failing": 70}))
    assert len(told.entries) == 8
    assert [len(group.names) for group in told.groups] == [52]
    assert told.missing == 10
    assert "and 10 more" in text(told)


def test_what_all_alerts_share_is_told_once() -> None:
    """One step and one error; each alert tells only what is its own."""
    told = story(sample("incident"))
    facts = {fact.label: fact.text for fact in told.facts}
    assert facts["Failing step"] == "Pay › Submit the card"
    assert told.error[0].startswith("AssertionError")
    assert [entry.priority for entry in told.entries] == ["critical"] + ["high"] * 5
    assert not any(entry.detail for entry in told.entries)
    digest = {fact.label: fact.text for fact in story(sample("digest")).facts}
    assert digest["Error"].startswith("AssertionError")


def test_a_runbook_that_is_no_address_is_a_fact() -> None:
    """Else it is a link."""
    message = sample("failure")
    item = msgspec.structs.replace(message.items[0], runbook="ask Maria")
    told = story(msgspec.structs.replace(message, items=(item,)))
    assert ("Runbook", "ask Maria") in [(fact.label, fact.text) for fact in told.facts]
    assert "Runbook" not in [link.label for link in told.links]


def test_more_failed_steps_than_can_be_named_are_counted() -> None:
    """Five names, then a number."""
    message = sample("failure")
    steps = tuple(f"Step {number}" for number in range(8))
    item = msgspec.structs.replace(message.items[0], failed_steps=steps, steps_total=9)
    told = story(msgspec.structs.replace(message, items=(item,)))
    (fact,) = [fact for fact in told.facts if fact.label == "Failed steps"]
    assert fact.text == "8 of 9: Step 0, Step 1, Step 2, Step 3, Step 4 and 3 more"


def test_a_message_about_a_report_says_its_figures_and_what_to_do() -> None:
    """Its tone is that of the verdict; commands stand on lines of their own, to be copied."""
    told = story(sample("summary"))
    assert told.headline.startswith("Daily report: ")
    assert ("Success rate", "98.6 % (−0.9 points)") in [(it.label, it.text) for it in told.facts]
    assert told.tone is Tone.FAILED
    assert "\n    workflow-monitor history product-search\n" in text(told)


def test_an_empty_message_still_says_something() -> None:
    """Whatever is missing, nobody gets an empty message."""
    empty = Message(
        key="",
        thread_key="",
        kind=NotificationKind.OPENED,
        title="",
        project="",
        environment="",
        at=AT,
    )
    assert text(story(empty)) == "– Alert: A message without a title\n\nWorkflow monitor"


def test_samples_say_that_they_are_samples() -> None:
    """Nobody gets up for one; there is one of each kind, each with a key of its own."""
    found = samples("shop", "production", AT, key="k")
    assert list(found) == list(SAMPLES)
    assert {it.kind for it in found.values()} >= set(NotificationKind) - {NotificationKind.PASSED}
    assert len({it.key for it in found.values()}) == len(found)
    for message in found.values():
        assert message.is_test
        told = story(message)
        assert told.title.startswith("Sample: ")
        assert "nothing has happened" in told.footer


def test_the_life_of_an_incident_is_one_thread_of_samples() -> None:
    """So that a channel shows how it updates its message."""
    found = samples("shop", "production", AT, key="k")
    life = ("failure", "reminder", "escalation", "acknowledged", "resolved")
    assert len({found[name].thread_key for name in life}) == 1
    assert len({it.thread_key for it in found.values()}) == 5
