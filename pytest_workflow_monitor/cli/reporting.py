"""``workflow-monitor report``: a session's report, or one of an hour, a day, a week, a month."""

from __future__ import annotations

import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed, resolved
from pytest_workflow_monitor.cli.executions import moment
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.report_output import (
    ENDINGS,
    form_of,
    output_options,
    rendered,
    write,
)
from pytest_workflow_monitor.cli.report_sending import Sent, sent
from pytest_workflow_monitor.settings.report_rules import KINDS, SECTIONS, ReportRule
from pytest_workflow_monitor.words.periods import Period, PeriodKind, last_period

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.model import SessionDocument
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store


@click.command()
@click.option(
    "--session",
    metavar="ID",
    help="Of this session: its id, the beginning of that, or last, which is the default.",
)
@click.option(
    "--period",
    type=click.Choice(KINDS),
    help="Of the last hour, day, week or month that is over.",
)
@click.option(
    "--since", type=moment, metavar="WHEN", help="Of the time since a day, an instant, or 7d ago."
)
@click.option("--until", type=moment, metavar="WHEN", help="Until then; by default until now.")
@click.option("--name", metavar="NAME", help="A report of the settings, by its name.")
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="NAME",
    help="Of this environment; repeatable. By default that of the settings.",
)
@click.option(
    "--section",
    "sections",
    multiple=True,
    type=click.Choice(SECTIONS),
    metavar="NAME",
    help="Only with this section; repeatable.",
)
@output_options("workflow-report.html and the like")
@click.option(
    "--send",
    is_flag=True,
    help="Keep it and send it to its recipients, once for each period; for crontab.",
)
def report(
    *,
    session: str | None,
    period: str | None,
    since: datetime | None,
    until: datetime | None,
    name: str | None,
    environments: tuple[str, ...],
    sections: tuple[str, ...],
    output: Path | None,
    form: str | None,
    send: bool,
) -> None:
    """Write the report of a session, or of a time.

    A time is the last hour, day, week or month that is over, or any other. With --send a
    file is written only where --output says so.
    """
    settings = effective_settings()
    form = form_of(form, output)
    if send and (not name or sections):
        raise click.UsageError(
            "--send is for a whole report of the settings: it goes with --name, without --section."
        )
    if period or since or until or name:
        if session is not None:
            raise click.UsageError("--session is about one session: it goes with no period.")
        rule = _rule(settings, name, period, environments, sections)
        made, all_well = _of_period(settings, rule, since, until, send=send)
        if made is not None and (output is not None or not send):
            default = f"workflow-report-{rule.name}{ENDINGS[form]}"
            write(output or Path(default), rendered(made, form, sections), made.verdict)
        if not all_well:
            sys.exit(Exit.NOT_ALL_WELL)
    else:
        if environments or sections:
            raise click.UsageError("--environment and --section go with --period or --since.")
        said, content = _of_session(settings, "last" if session is None else session, form)
        write(output or Path(f"workflow-report{ENDINGS[form]}"), content, said)


def _of_session(settings: Settings, session: str, form: str) -> tuple[str, bytes]:
    from pytest_workflow_monitor import report as reports

    document = _document(settings, session)
    started = display.full_when(document.session.started_at)
    said = f"Session {document.session.session_id} of {started}:"
    if form == "html":
        return said, reports.render_html(
            document,
            state_path=settings.state_path,
            artifacts_http_url=settings.artifacts_http_url,
        )
    if form == "json":
        return said, reports.render_json(document)
    if form == "csv":
        raise click.UsageError("CSV is of periods: add --period or --since.")
    return said, reports.render_markdown(document).encode("utf-8", "replace")


def _document(settings: Settings, session: str) -> SessionDocument:
    with needed(settings) as store:
        if session == "last":
            known = store.last_session_id()
            if known is None:
                raise NothingThereError(f"There is no session of {settings.project} yet.")
        else:
            known = resolved("session", session, store.find_session_ids)
        return store.session_document(known, history_length=settings.history_length)


def _of_period(
    settings: Settings,
    rule: ReportRule,
    since: datetime | None,
    until: datetime | None,
    *,
    send: bool,
) -> Sent:
    """Make the report, or send it."""
    from pytest_workflow_monitor.reporting import make

    with needed(settings) as store:
        now = store.clock()
        asked = _period(rule, since, until, now, rule.timezone or settings.timezone)
        _check_environments(store, settings, rule)
        if send:
            return sent(store, settings, rule, asked, now)
        return Sent(make(store, settings, rule, asked, now))


def _rule(
    settings: Settings,
    name: str | None,
    period: str | None,
    environments: tuple[str, ...],
    sections: tuple[str, ...],
) -> ReportRule:
    rules = {rule.name: rule for rule in settings.reports}
    if name is None:
        kind = PeriodKind(period) if period else PeriodKind.CUSTOM
        rule = ReportRule(name=kind.value, period=kind)
    elif name in rules:
        rule = rules[name]
        rule = replace(rule, period=PeriodKind(period)) if period else rule
    else:
        known = ", ".join(rules) or "none"
        raise click.UsageError(f"The settings have no report {name!r}; they have: {known}.")
    return replace(
        rule, environments=environments or rule.environments, sections=sections or rule.sections
    )


def _period(
    rule: ReportRule, since: datetime | None, until: datetime | None, now: datetime, zone: str
) -> Period:
    if since is None:
        if rule.period is PeriodKind.CUSTOM:
            raise click.UsageError("--until needs --since or --period: say where it begins.")
        return last_period(rule.period, until or now, zone)
    end = until or now
    if end <= since:
        raise click.UsageError(
            f"--until {end:%Y-%m-%d %H:%M} UTC is not after --since {since:%Y-%m-%d %H:%M} UTC."
        )
    return Period(
        kind=PeriodKind.CUSTOM, start=since.astimezone(UTC), end=end.astimezone(UTC), timezone=zone
    )


def _check_environments(store: Store, settings: Settings, rule: ReportRule) -> None:
    """Say where there is something to report, when there is nothing where one asks."""
    known = store.environments(settings.project)
    asked = rule.environments or (settings.environment,)
    if known and not set(asked) & set(known):
        raise click.UsageError(
            f"{settings.project} has no executions in {', '.join(asked)}; "
            f"--environment chooses another: {', '.join(known)}."
        )
