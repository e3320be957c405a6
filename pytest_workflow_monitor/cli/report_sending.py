"""``workflow-monitor report --send``: keeps a report and has its recipients told, for crontab."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.cli import display

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.report_rules import ReportRule
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.period_report import PeriodReport
    from pytest_workflow_monitor.words.periods import Period

NOTHING_RAN = "Nothing ran before the end of this period; nothing is kept, and nobody is told."


class Sent(NamedTuple):
    """The kept report, None if there is none; and whether all messages were delivered."""

    report: PeriodReport | None
    all_well: bool = True


def sent(store: Store, settings: Settings, rule: ReportRule, period: Period, now: datetime) -> Sent:
    """Keep the report of a period unless it is kept, and deliver what waits."""
    from pytest_workflow_monitor.cli.notifying import delivered, in_words
    from pytest_workflow_monitor.report.period.document import read_document
    from pytest_workflow_monitor.reporting import identity, keep_if_new

    kept = keep_if_new(store, settings, rule, period, now)
    if kept is not None:
        display.say(f"Report {kept.report_id} is kept: {kept.verdict}")
    else:
        kept = store.kept_report(identity(settings, rule, period))
        if kept is None:
            display.say(NOTHING_RAN)
            return Sent(None)
        made = display.full_when(kept.generated_at)
        display.say(f"Report {kept.report_id} of this period was made {made}; it is sent once.")
    done = delivered(store, settings)
    for problem in dict.fromkeys(done.problems):
        display.say(problem)
    if done.moved:
        display.say(f"{in_words(done)}.")
    document = store.report_document(settings.project, kept.report_id)
    report = read_document(document) if document else None
    return Sent(report, all_well=not (done.failed or done.given_up))
