"""Reports over a period to render: one with everything in it, a quiet one, and a hostile one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.analysis.condition.risk import Reason, Risk
from pytest_workflow_monitor.analysis.condition.states import Assessment, State
from pytest_workflow_monitor.analysis.distribution import distribution
from pytest_workflow_monitor.analysis.period.composing import compose
from pytest_workflow_monitor.analysis.period.facts import (
    Anomaly,
    Day,
    Deployment,
    Hour,
    Key,
    Known,
    SeriesKey,
    SeriesSums,
    StepShare,
    Suppressed,
)
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import AlertKind
from pytest_workflow_monitor.words.period_report import Finding, Form, LineChart, Section, Series
from tests.analysis.period.made_facts import (
    END,
    LOGIN,
    ORDER,
    alert,
    at,
    error,
    facts,
    metric,
    outlook,
    silence,
    slot,
    slower,
    still_open,
    sums,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.period_report import PeriodReport

EVIL = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)><b>x</b> "
    '" onmouseover="alert(3) {{ 7*7 }} [a](javascript:alert(4)) | # \x1b[31mred ' + "x" * 300
)
EVIL_NAME = '=cmd|"/c calc"!A1</td><script>alert(5)</script>'


def full() -> PeriodReport:
    """Return a report in which every section has something to say."""
    return compose(_facts())


def quiet() -> PeriodReport:
    """Return the report of a day on which all was well."""
    return compose(facts())


def hostile() -> PeriodReport:
    """Return a report with hostile text wherever a test, a page or a person can write some."""
    report = compose(_hostile(_facts()), name=EVIL)
    link = Finding(rule="x", title=EVIL, link="javascript:alert(6)", command=f"a\n\n# {EVIL}")
    return replace(report, sections=(*report.sections, _charts(), _with(link)))


def _with(finding: Finding) -> Section:
    return Section(name="more", title=EVIL, brief=EVIL, blocks=(finding,))


def _charts() -> Section:
    chart = LineChart(
        title=EVIL,
        form=Form.DURATION,
        instants=tuple(at(hour) for hour in range(5)),
        series=(Series(name=EVIL, values=(1.0, None, 3.0, 4.0, 5.0)),),
        low=(0.0,) * 5,
        high=(6.0,) * 5,
        limit=7.0,
        limit_label=EVIL,
    )
    return Section(name="lines", title="Lines", blocks=(chart,))


def _facts() -> PeriodFacts:
    flapping = still_open(
        4,
        "news",
        kind=AlertKind.FLAPPING,
        since=at(-30),
        reason="changed 4 times",
        quiet="at night",
    )
    days = tuple(
        Day(
            key=key,
            starts_at=END - timedelta(days=number + 1),
            sums=sums(20 - number % 3, number % 3, ms=1_000.0 + 40 * number),
        )
        for number in range(20)
        for key in (ORDER, LOGIN)
    )
    step = SeriesKey(
        environment="production", workflow_id="order", kind="step", name="Pay", unit="ms"
    )
    return facts(
        workflows={ORDER: sums(17, 3, 2, ms=1_500.0), LOGIN: sums(20, ms=700.0)},
        week_before={ORDER: sums(), LOGIN: sums()},
        series={
            **metric(5),
            step: SeriesSums(samples=20, problems=3, values=distribution([400.0] * 17)),
        },
        days=days,
        hours=tuple(
            Hour(starts_at=END - timedelta(hours=number + 1), judged=12, bad=int(number == 5))
            for number in range(24 * 7)
        ),
        alerts=(
            alert(1, causes=("host|shop.example",), priority=Priority.CRITICAL),
            alert(2, "login", causes=("host|shop.example",), acknowledged_by="kim"),
            still_open(3, "login", since=at(20), opened_at=at(20.1)),
            flapping,
        ),
        errors=(
            error(),
            error("f2", count=0, count_before=2, first_at=at(-90)),
            error("f3", count_before=2, first_at=at(-90), workflow_ids=("login", "order")),
        ),
        assessments={ORDER: Assessment(state=State.FLAKY, reason="2 of 9 runs of abc failed")},
        risks={
            ORDER: Risk(
                score=0.4, reasons=(Reason(kind="failing", part=0.4, text="3 of 20 runs failed"),)
            )
        },
        slots=(slot(), slot("skipped", key=LOGIN, reason="the one before still ran")),
        suppressed=(Suppressed(reason="silenced by kim", count=4),),
        silences=(silence(),),
        hidden={3: (alert(1),)},
        anomalies=(
            Anomaly(
                key=ORDER, kind="metric", name="cart", unit="ms", run_id="5e5e5e5e-5e5e",
                value=900.0, expected_low=80.0, expected_high=200.0, score=0.9, direction="high",
                observed_at=at(3),
            ),
        ),
        deployments=(
            Deployment(environment="production", deployed_at=at(14.3), name="shop 1.4"),
        ),
        changes=(slower(deployment="shop 1.4"), slower(0.5, key=LOGIN)),
        outlooks=(outlook(),),
    )  # fmt: skip


def _hostile(known: PeriodFacts) -> PeriodFacts:
    key = Key(environment="production", workflow_id=EVIL_NAME)
    evil_alert = replace(
        known.alerts[2], workflow_id=EVIL_NAME, failing_step=EVIL, acknowledged_by=EVIL
    )
    return replace(
        known,
        project=EVIL_NAME,
        known={
            EVIL_NAME: Known(
                workflow_id=EVIL_NAME, workflow_name=EVIL, priority=Priority.CRITICAL, owner=EVIL
            )
        },
        workflows={key: sums(17, 3, 2, ms=1_500.0)},
        before={key: sums()},
        series={
            replace(it, workflow_id=EVIL_NAME, name=EVIL): values
            for it, values in known.series.items()
        },
        alerts=(*known.alerts[:2], evil_alert, replace(known.alerts[3], reason=EVIL, quiet=EVIL)),
        errors=tuple(replace(it, message=EVIL, workflow_ids=(EVIL_NAME,)) for it in known.errors),
        assessments={key: Assessment(state=State.FLAKY, reason=EVIL)},
        risks={key: Risk(score=0.4, reasons=(Reason(kind="failing", part=0.4, text=EVIL),))},
        slots=tuple(replace(it, key=key, reason=EVIL) for it in known.slots),
        suppressed=(Suppressed(reason=EVIL, count=4),),
        silences=(silence(match={"workflow": (EVIL,)}, author=EVIL, reason=EVIL),),
        anomalies=tuple(replace(it, key=key, name=EVIL) for it in known.anomalies),
        deployments=tuple(replace(it, name=EVIL) for it in known.deployments),
        changes=(
            replace(
                known.changes[0],
                key=key,
                deployment=EVIL,
                git_commit=EVIL,
                steps=(StepShare(name=EVIL, before_ms=1.0, after_ms=900.0),),
            ),
        ),
        outlooks=(outlook(key=key, name=EVIL),),
    )
