"""Every planted event is in the report of its day, rightly named."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.rows import tuple_row

from pytest_workflow_monitor.analysis.wording import MONTHS
from pytest_workflow_monitor.words.period_report import Tone
from pytest_workflow_monitor.words.periods import Period, PeriodKind
from tests.history.shop import SHOP, STAGING

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.store import Store
    from tests.history.reading import Desk, Reading
    from tests.history.truth import Incident, Span, Truth


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def clock(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment:%H:%M}"


def of(desk: Desk, moment: datetime, environment: str = "production") -> Reading:
    return desk.day(midnight(moment), environment)


def week_of(moment: datetime) -> Period:
    start = midnight(moment) - timedelta(days=moment.weekday())
    return Period(kind=PeriodKind.WEEKLY, start=start, end=start + timedelta(days=7))


def fortnight(truth: Truth) -> Period:
    """All whole days of the history, as of a report since some day."""
    end = midnight(truth.end_at)
    return Period(kind=PeriodKind.CUSTOM, start=end - timedelta(days=13), end=end)


def failed(shop: Store, span: Span, fingerprint: str) -> list[datetime]:
    with shop.connection.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(
            b"SELECT started_at FROM workflow_monitor.workflow_executions"
            b" WHERE environment = %s AND fingerprint = %s AND started_at >= %s AND started_at < %s"
            b" ORDER BY started_at",
            (span.environment, fingerprint, span.start_at, span.end_at + timedelta(minutes=1)),
        ).fetchall()
    return [at for (at,) in found]


def row_of(reading: Reading, incident: Incident) -> dict[str, Any]:
    """The only row of the incidents that is about an incident of the truth."""
    ids = {it.workflow_id for it in incident.failures}
    found = [
        row
        for row in reading.rows("incidents")
        if incident.holds(row["since"].replace(second=0, microsecond=0))
        and ids & set(row["workflows"].split(", "))
        and row["what"].split(":")[0] not in {"flapping", "masked"}
    ]
    assert len(found) == 1, found
    return found[0]


def test_each_incident_is_one_with_its_workflows_and_times(
    desk: Desk, shop: Store, truth: Truth
) -> None:
    """Since the first failing run, over at the first good one; a common cause makes one of many."""
    assert len(truth.incidents) == 3
    for incident in truth.incidents:
        reading = of(desk, incident.start_at)
        row = row_of(reading, incident)
        times = {
            it.workflow_id: found
            for it in incident.failures
            if (found := failed(shop, incident, it.fingerprint))
        }
        assert set(row["workflows"].split(", ")) == set(times)
        assert row["failures"] == sum(map(len, times.values()))
        first = min(found[0] for found in times.values())
        assert row["since"] == first
        over = row["since"] + timedelta(milliseconds=row["recovered"])
        assert incident.end_at <= over <= incident.end_at + timedelta(hours=1, minutes=1)
        assert row["detected"] < 60_000
        assert reading.report.tone is Tone.BAD


def test_each_incident_says_what_failed(desk: Desk, truth: Truth) -> None:
    """The step and the error where one workflow failed, the silent host where many did."""
    for incident in truth.incidents:
        what = row_of(of(desk, incident.start_at), incident)["what"]
        if len(incident.failures) == 1:
            (failure,) = incident.failures
            assert what == f"{failure.step}: {failure.message}"
        else:
            assert what == "shop.example.com does not answer"


def test_a_regression_is_told_on_its_day_and_all_week(desk: Desk, truth: Truth) -> None:
    """With the 95th percentiles before and after, the step that explains it, commit, and since."""
    (change,) = truth.regressions
    for day in range(6):
        finding = of(desk, change.at + timedelta(days=day)).finding("slower")
        assert finding.title.startswith(f"{change.workflow_id} p95 rose from 2.1 s to 3.")
        assert finding.title.endswith(f" since {clock(change.at)}")
        text = " ".join(finding.evidence)
        assert re.search(rf"The step {change.step} explains (9\d\d ms|1\.[012] s) of it", text)
        assert change.commit[:10] in text
        assert finding.command == f"git show {change.commit[:10]}"


def test_changes_stand_in_the_tables_of_their_week(desk: Desk, truth: Truth) -> None:
    """The regression and the improvement, with percentiles within a twentieth of the truth."""
    reading = desk.report(week_of(truth.changes[0].at))
    rows = {it["workflow"]: it for it in reading.named("anomalies", "Changed for good")}
    assert set(rows) == {it.workflow_id for it in truth.changes}
    for change in truth.changes:
        row = rows[change.workflow_id]
        assert abs(row["since"] - change.at) < timedelta(minutes=31)
        assert row["p95_before"] == pytest.approx(change.before_p95_ms, rel=0.05)
        assert row["p95_after"] == pytest.approx(change.after_p95_ms, rel=0.05)
        assert row["change"] == pytest.approx(change.step_change_ms, rel=0.1)
        assert row["step"] == change.step
        assert row["cause"].endswith(change.commit[:10])
    (finding,) = reading.findings("slower")
    assert finding.title.startswith(truth.regressions[0].workflow_id)


def test_a_drift_is_forecast_before_its_limit(desk: Desk, truth: Truth) -> None:
    """With its limit, in as many days as the truth says, within the interval that is named."""
    (drift,) = truth.drifts
    for days in (1, 2, 3):
        end = midnight(truth.end_at) - timedelta(days=days - 1)
        finding = desk.day(end - timedelta(days=1)).finding("heading_for_limit")
        left = round((drift.breaks_at - end) / timedelta(days=1))
        assert finding.title in {
            f"{drift.workflow_id} {drift.metric} passes its limit of 250 ms in {it} days at this "
            "slope"
            for it in (left - 1, left, left + 1)
        }
        assert finding.evidence[0].endswith("and rises by 4 ms a day.")


def test_what_is_flaky_is_told_with_its_error(desk: Desk, truth: Truth) -> None:
    """On each day on which it failed, with how often, of how many."""
    (flaky,) = truth.flaky
    failure = flaky.failure
    for days in range(1, 13):
        reading = desk.day(midnight(truth.end_at) - timedelta(days=days))
        found = reading.findings("flaky_workflows")
        times = sum(
            it["count"]
            for it in reading.rows("errors")
            if it["fingerprint"] == failure.fingerprint[:12]
        )
        assert len(found) == bool(times)
        for finding in found:
            assert finding.title.startswith(f"{failure.workflow_id} is flaky: ")
            assert any(failure.message.removesuffix(".") in it for it in finding.evidence)


def test_what_retries_mask_is_told_with_the_error_they_hide(desk: Desk, truth: Truth) -> None:
    """On each of its days, of those executions that needed another attempt."""
    (masked,) = truth.masked
    for day in range(3):
        reading = of(desk, masked.start_at + timedelta(days=day))
        finding = reading.finding("masked_workflows")
        (row,) = [
            it for it in reading.rows("flaky") if it["workflow"] == masked.failure.workflow_id
        ]
        assert row["state"] == "masked"
        assert finding.title == (
            f"{masked.failure.workflow_id} passes only when tried again: {row['masked']} of "
            f"{row['runs']} executions"
        )
        assert finding.evidence[-1] == (
            f"{row['masked']} times with: {masked.failure.message.removesuffix('.')}."
        )


def test_what_is_broken_in_staging_is_told_there(desk: Desk, truth: Truth) -> None:
    """On the day that it broke and on all days since, with the error; production knows nothing."""
    (broken,) = truth.broken
    assert broken.environment == STAGING
    for day in range(12):
        moment = broken.start_at + timedelta(days=day)
        (finding,) = of(desk, moment, STAGING).findings()
        assert finding.rule == ("broken" if day else "still_failing")
        assert finding.title.startswith(f"{broken.failure.workflow_id} fails")
        assert finding.title.endswith(
            f" since {clock(broken.start_at + timedelta(hours=1, minutes=10))}"
        )
        text = " ".join(finding.evidence)
        assert f"{broken.failure.step}: {broken.failure.message}" in text
        assert finding.command.startswith("workflow-monitor show ")
        verdict = of(desk, moment, STAGING).verdict
        assert verdict.endswith("; 1 incident, still open")


def test_missed_slots_are_counted_with_their_times(desk: Desk, truth: Truth) -> None:
    """How many, of which workflows, between which times, and why; one incident for all."""
    (missed,) = truth.missed
    reading = of(desk, missed.start_at)
    rows = reading.rows("slots")
    assert {it["what"] for it in rows} == {"missed"}
    first, last = min(it["first"] for it in rows), max(it["last"] for it in rows)
    assert missed.start_at <= first <= last < missed.end_at
    finding = reading.finding("missed_slots")
    total = sum(it["count"] for it in rows)
    assert finding.title == (f"{total} slots did not run between {clock(first)} and {clock(last)}")
    assert finding.evidence[-1] == "Why: found too late: no scheduler was running."
    (incident,) = [it for it in reading.rows("incidents") if it["what"] == "Slots did not run"]
    assert set(incident["workflows"].split(", ")) == {it["workflow"] for it in rows}
    assert incident["failures"] is None


def test_a_silence_is_told_with_its_reason(desk: Desk, truth: Truth) -> None:
    """Who silenced what, from when to when, and what nobody was told because of it."""
    (silenced,) = truth.silenced
    reading = of(desk, silenced.start_at)
    (row,) = reading.named("silenced", "Silences")
    assert row["by"] == silenced.author
    assert row["why"] == silenced.reason
    assert (row["from"], row["until"]) == (silenced.start_at, silenced.end_at)
    assert silenced.failure.workflow_id in row["what"]
    failure = silenced.failure
    assert row["hid"] == f"{failure.workflow_id}: {failure.step}: {failure.message}"


def test_a_broken_budget_is_told_with_how_often(desk: Desk, shop: Store, truth: Truth) -> None:
    """The metric, the times beyond it, and of how many."""
    (breach,) = truth.breaches
    reading = of(desk, breach.start_at)
    finding = reading.finding("broken_budgets")
    with shop.connection.cursor(row_factory=tuple_row) as cursor:
        ((beyond, all_of_them),) = cursor.execute(
            b"SELECT count(*) FILTER (WHERE NOT is_within_threshold), count(*)"
            b" FROM workflow_monitor.workflow_metrics"
            b" JOIN workflow_monitor.workflow_executions AS run USING (run_id)"
            b" WHERE metric_name = %s AND run.started_at >= %s AND run.started_at < %s",
            (breach.metric, reading.period.start, reading.period.end),
        ).fetchall()
    assert finding.title == (
        f"{breach.workflow_id} {breach.metric} was beyond its budget {beyond} of {all_of_them} "
        "times"
    )
    assert beyond > 20
    (row,) = reading.rows("budgets")
    assert (row["metric"], row["broken"], row["before"]) == (breach.metric, beyond, 0)


def test_errors_are_new_continue_and_are_gone(desk: Desk, truth: Truth) -> None:
    """The error of an incident is new on its day and gone on the next; what is flaky continues."""
    for incident in truth.incidents:
        fingerprints = {it.fingerprint[:12] for it in incident.failures}
        states = []
        for day in range(2):
            at = incident.start_at + timedelta(days=day)
            if midnight(at) >= midnight(truth.end_at):
                break
            rows = of(desk, at).rows("errors")
            states.append({it["state"] for it in rows if it["fingerprint"] in fingerprints})
        assert states == [{"new"}, {"gone"}][: len(states)]
    flaky = truth.flaky[0].failure.fingerprint[:12]
    for days in (1, 2, 3):
        rows = desk.day(midnight(truth.end_at) - timedelta(days=days)).rows("errors")
        assert {it["state"] for it in rows if it["fingerprint"] == flaky} == {"continuing"}


def test_a_longer_report_has_them_all(desk: Desk, truth: Truth) -> None:
    """Each incident, and a recommendation for all that still matters at the end."""
    reading = desk.report(fortnight(truth))
    for incident in truth.incidents:
        row_of(reading, incident)
    assert {it.rule for it in reading.findings()} == {
        "missed_slots", "slower", "heading_for_limit", "masked_workflows", "flaky_workflows",
        "broken_budgets",
    }  # fmt: skip
    assert {it["workflow"] for it in reading.rows("workflows")} == {it.workflow_id for it in SHOP}


def test_the_month_has_them_all(desk: Desk, truth: Truth) -> None:
    """The monthly report of June tells of each incident, both changes, the mask and the slots."""
    start = midnight(truth.end_at).replace(day=1)
    june = Period(kind=PeriodKind.MONTHLY, start=start, end=start.replace(month=start.month + 1))
    reading = desk.report(june)
    for incident in truth.incidents:
        row_of(reading, incident)
    changes = reading.named("anomalies", "Changed for good")
    assert {it["workflow"] for it in changes} == {it.workflow_id for it in truth.changes}
    assert {it.rule for it in reading.findings()} >= {
        "missed_slots", "slower", "masked_workflows", "flaky_workflows", "broken_budgets",
    }  # fmt: skip
    (row,) = reading.named("silenced", "Silences")
    assert row["by"] == truth.silenced[0].author
