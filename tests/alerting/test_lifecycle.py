from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.alerting.lifecycle import (
    Decision,
    change_ratio,
    decide,
    results_needed,
)
from pytest_workflow_monitor.settings.alert_rules import Policy
from pytest_workflow_monitor.words.alerts import Alert, AlertKind
from tests.alerting.samples import an_alert, results
from tests.samples import at


def opened(text: str, policy: Policy | None = None, *kinds: AlertKind) -> dict[AlertKind, str]:
    """Return the alerts that some results open, with their reasons; ``kinds`` are open already."""
    decision = decide(results(text), {it: an_alert(it) for it in kinds}, policy or Policy())
    return {it.kind: it.reason for it in decision.opened}


def resolved(text: str, kind: AlertKind, policy: Policy | None = None) -> str:
    """Return why an open alert is resolved by some results; "" when it is not."""
    decision = decide(results(text), {kind: an_alert(kind)}, policy or Policy())
    return next((it.reason for it in decision.resolved), "")


@pytest.mark.parametrize("text", ["F", "PF", "PPE", "PT", "PDF"])
def test_by_default_one_failure_opens_an_alert(text: str) -> None:
    """Retries have been made by then: an execution that failed has failed for good."""
    assert opened(text) == {AlertKind.FAILING: "failed"}


@pytest.mark.parametrize("text", ["", "P", "FP", "D", "S", "I", "PS", "f"])
def test_nothing_opens_without_a_failure_at_the_end(text: str) -> None:
    """A newer pass contradicts an older failure; skipped and interrupted say nothing."""
    assert opened(text) == {}


def test_an_alert_can_wait_for_several_failures_in_a_row() -> None:
    """The alert begins with the first of them."""
    policy = Policy(alert_after=3)
    assert opened("PFF", policy) == {}
    decision = decide(results("FPFFF"), {}, policy)
    (opening,) = decision.opened
    assert (opening.first.run_id, opening.last.run_id, opening.failures) == ("run-2", "run-4", 3)
    assert opening.reason == "failed 3 times in a row"


def test_skipped_and_interrupted_executions_do_not_break_a_streak() -> None:
    """They tell nothing about the site, unless the policy counts interrupted ones."""
    assert opened("FSF", Policy(alert_after=2)) == {AlertKind.FAILING: "failed 2 times in a row"}
    assert opened("FIF", Policy(alert_after=3)) == {}
    assert opened("FIF", Policy(alert_after=3, interrupted=True)) != {}


def test_some_failures_of_the_last_ones_can_open_an_alert() -> None:
    """Failures that do not come in a row count too, if the last execution is one."""
    policy = Policy(alert_after=None, failures_in=(3, 5), flapping=False)
    assert opened("FPFP", policy) == {}
    assert opened("FPPPFPF", policy) == {}
    assert opened("PFPFPF", policy) == {AlertKind.FAILING: "failed 3 of the last 5 times"}
    assert opened("FPFPFP", policy) == {}


def test_failing_for_a_while_can_open_an_alert() -> None:
    """From the start of the first failure to the end of the last one."""
    policy = Policy(alert_after=None, failing_for_seconds=601)
    assert opened("PFFP", policy) == {}
    assert opened("PFF", policy) == {}
    assert opened("PFFF", policy) == {AlertKind.FAILING: "failing for 10 min 2 s"}


def test_an_open_alert_is_not_opened_again_but_continued() -> None:
    """One problem, one alert, however often it shows."""
    alert = an_alert(last_run_id="run-0")
    decision = decide(results("FF"), {AlertKind.FAILING: alert}, Policy())
    assert (decision.opened, decision.resolved) == ((), ())
    assert [it.result.run_id for it in decision.continued] == ["run-1"]


def test_deciding_twice_changes_nothing() -> None:
    """What was decided on the same results before is not decided again."""
    alert = an_alert(last_run_id="run-1")
    decision = decide(results("FF"), {AlertKind.FAILING: alert}, Policy())
    assert (decision.opened, decision.resolved) == ((), ())


def test_passes_resolve_an_alert() -> None:
    """As many in a row as the policy wants; degraded ones are passes."""
    assert resolved("FP", AlertKind.FAILING) == "passed"
    assert resolved("FD", AlertKind.FAILING) == "passed"
    assert resolved("FPSP", AlertKind.FAILING, Policy(resolve_after=2)) == "passed 2 times in a row"
    assert resolved("FPFP", AlertKind.FAILING, Policy(resolve_after=2)) == ""
    assert resolved("FS", AlertKind.FAILING) == ""


def test_what_a_person_resolved_stays_so_until_it_fails_again() -> None:
    """Results that ended before that cannot open another alert."""
    dismissed = {AlertKind.FAILING: at(400)}
    assert decide(results("FF"), {}, Policy(), dismissed=dismissed) == Decision()
    assert decide(results("FFF"), {}, Policy(), dismissed=dismissed).opened
    three = Policy(alert_after=3)
    assert decide(results("FFFF"), {}, three, dismissed=dismissed) == Decision()
    assert decide(results("FFFFF"), {}, three, dismissed=dismissed).opened


def test_degraded_passes_open_a_warning_only_when_asked() -> None:
    """By default they are in the summary, and nobody is called."""
    assert opened("DDDDD") == {}
    policy = Policy(alert_after_degraded=2)
    assert opened("PDD", policy) == {AlertKind.DEGRADED: "degraded 2 times in a row"}
    assert resolved("DDP", AlertKind.DEGRADED, policy) == "passed fully"
    assert resolved("DDF", AlertKind.DEGRADED, policy) == "it fails now"


def test_passing_only_by_retry_opens_a_warning() -> None:
    """Three times running after the same error: the retry hides a problem."""
    assert opened("ff") == {}
    said = "passed only by retry 3 times in a row, after the same error"
    assert opened("Pfff") == {AlertKind.MASKED: said}
    assert opened("fff", Policy(alert_after_masked=0)) == {}
    assert resolved("fffP", AlertKind.MASKED) == "passed at the first attempt"
    assert resolved("fffF", AlertKind.MASKED) == "it fails now"


def test_retries_after_different_errors_hide_no_single_problem() -> None:
    """The errors have to agree in their fingerprint, which has to be known."""
    mixed = [*results("ff"), results("PPf", fingerprint="other")[-1]]
    assert decide(mixed, {}, Policy()).opened == ()
    assert decide(results("fff", fingerprint=""), {}, Policy()).opened == ()


def test_changing_to_and_fro_is_flapping() -> None:
    """More than a fifth of the last 20 executions changed between passing and failing."""
    assert opened("PFPF", None, AlertKind.FAILING) == {}
    assert opened("PFPFP") == {AlertKind.FLAPPING: "changed 4 times in the last 5 executions"}
    assert opened("PFPFP", Policy(flapping=False)) == {}


def test_flapping_is_over_when_it_is_calm() -> None:
    """Fewer than one in twenty changes among the last 20 executions: none."""
    assert resolved("F" + "P" * 19, AlertKind.FLAPPING) == ""
    assert resolved("F" + "P" * 20, AlertKind.FLAPPING) == "it is calm"
    assert resolved("PFPFP", AlertKind.FLAPPING, Policy(flapping=False)) != ""


def test_two_changes_are_no_flapping() -> None:
    """Executions that are not there count as no change."""
    assert change_ratio(results("PFP")) == pytest.approx(2 / 19)
    assert change_ratio([]) == 0


@given(
    st.text("PDFETISf", max_size=60),
    st.builds(
        Policy,
        alert_after=st.one_of(st.none(), st.integers(1, 6)),
        failures_in=st.one_of(st.none(), st.sampled_from([(1, 1), (2, 3), (3, 7)])),
        failing_for_seconds=st.one_of(st.none(), st.floats(1, 4000)),
        resolve_after=st.integers(1, 4),
        alert_after_degraded=st.integers(0, 3),
        alert_after_masked=st.integers(0, 3),
        interrupted=st.booleans(),
    ),
)
def test_a_history_played_step_by_step_keeps_its_promises(text: str, policy: Policy) -> None:
    """Never two alerts of a kind, none that newer results contradict, none that stays for ever."""
    alerts: dict[AlertKind, Alert] = {}
    whole = results(text)
    for count in range(1, len(whole) + 1):
        seen = whole[:count][-results_needed(policy) :]
        decision = decide(seen, alerts, policy)
        for resolution in decision.resolved:
            assert alerts.pop(resolution.alert.kind) is resolution.alert
        for opening in decision.opened:
            assert opening.kind not in alerts
            alerts[opening.kind] = an_alert(opening.kind, last_run_id=opening.last.run_id)
        last = whole[count - 1].status
        if decision.opened and last.is_problem is False:
            assert AlertKind.FAILING not in {it.kind for it in decision.opened}
        if last.is_problem and (policy.interrupted or text[count - 1] != "I"):
            assert not {AlertKind.DEGRADED, AlertKind.MASKED} & alerts.keys() or (
                AlertKind.FAILING not in alerts
            )
    calm = decide([*whole, *results("P" * 25)], alerts, policy)
    assert {it.alert.kind for it in calm.resolved} == set(alerts)
