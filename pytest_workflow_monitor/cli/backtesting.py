"""``workflow-monitor alerts backtest``: what another policy would have made of what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict, replace

from pytest_workflow_monitor.alerting.backtest import Outcome, Problem, play, total
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed
from pytest_workflow_monitor.cli.executions import moment
from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.options import as_json_option, duration
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import patterns
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.alert_rules import Policy, policy_changes
from pytest_workflow_monitor.words.alerts import AlertKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store.backtest import Played

DEFAULT_SINCE = timedelta(days=30)
SHOWN_PROBLEMS = 10
MOST = 1000
WINDOW = 100

Fitting = dict[tuple[str, str], Policy]


class Comparison(Record, frozen=True, kw_only=True):
    """What two policies made of the same executions.

    ``spared`` are the problems that raised an alert then and none now, ``added`` those of which it
    is the other way round; the longest first.
    """

    then: Outcome
    now: Outcome
    spared: tuple[Problem, ...]
    added: tuple[Problem, ...]


def some_of(text: str) -> tuple[int, int]:
    """Read ``3/5``: three failures among the last five.

    Raises:
        click.BadParameter: It is written otherwise.
    """
    some, _, of = text.partition("/")
    if some.isdecimal() and of.isdecimal() and 1 <= int(some) <= int(of) <= WINDOW:
        return int(some), int(of)
    raise click.BadParameter(f"{text!r}: expected two numbers such as 3/5.")


POLICY_OPTIONS = (
    click.option(
        "--alert-after", type=click.IntRange(1, MOST), metavar="N", help="Failures in a row."
    ),
    click.option(
        "--failures-in", type=some_of, metavar="N/M", help="N failures among the last M executions."
    ),
    click.option(
        "--failing-for", type=duration, metavar="DURATION", help="Failing for so long: 10m."
    ),
    click.option(
        "--resolve-after", type=click.IntRange(1, MOST), metavar="N", help="Passes in a row."
    ),
    click.option(
        "--alert-after-degraded",
        "--degraded",
        type=click.IntRange(0, MOST),
        metavar="N",
        help="Degraded passes in a row; 0 for never.",
    ),
    click.option(
        "--alert-after-masked",
        "--masked",
        type=click.IntRange(0, MOST),
        metavar="N",
        help="Passes by retry in a row, after the same error; 0 for never.",
    ),
    click.option("--flapping/--no-flapping", default=None, help="Watch for flapping."),
    click.option(
        "--interrupted/--no-interrupted", default=None, help="Count interruptions as failures."
    ),
)


def _policy_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(POLICY_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.option(
    "--since",
    type=moment,
    metavar="WHEN",
    help="From then on: a duration back, or a day.  [default: 30d]",
)
@click.option("--until", type=moment, metavar="WHEN", help="Until then; by default until now.")
@click.option("--environment", metavar="NAME", help="Only in this environment; by default in all.")
@click.option(
    "--workflow",
    "workflows",
    multiple=True,
    metavar="ID",
    help="Only this workflow, or those that a glob fits; repeatable.",
)
@_policy_options
@as_json_option
def backtest(
    *,
    since: datetime | None,
    until: datetime | None,
    environment: str | None,
    workflows: Sequence[str],
    as_json: bool,
    **policy: Any,
) -> None:
    """Play a policy over what happened, beside the one that holds.

    What is not given stays as the settings have it. Every alert counts as told alone, and as never
    acknowledged.
    """
    settings = effective_settings()
    changes = policy_changes(_named(policy))
    until = until or datetime.now(UTC)
    since = since or until - DEFAULT_SINCE
    if since >= until:
        raise click.UsageError("--since has to be before --until.")
    with needed(settings) as store, store.transaction():
        wanted = patterns(workflows)
        known = store.played_workflows(settings.project, wanted)
        if not known:
            raise NothingThereError(f"There is no such workflow of {settings.project}.")
        results = store.played_results(
            settings.project, since=since, until=until, environment=environment, workflows=wanted
        )
        found = compared(results, known, settings, changes, until)
    if as_json:
        print_json(_as_json(found, since, until))
    else:
        _print(found, changes, settings, since, until)


def compared(
    results: Iterable[Played],
    known: dict[str, Workflow],
    settings: Settings,
    changes: dict[str, Any],
    until: datetime,
) -> Comparison:
    """Play executions under the policies of the settings, and under the same ones with changes."""
    from pytest_workflow_monitor.alerting.rules import rules_of

    rules = rules_of(settings)
    outcomes = []
    for (workflow_id, environment), group in groupby(results, key=lambda it: it[:2]):
        then = rules.policy_for(
            known[workflow_id], project=settings.project, environment=environment
        )
        outcomes.append(
            play(
                (it.result for it in group),
                (then, replace(then, **changes)),
                rules.telling,
                workflow_id=workflow_id,
                environment=environment,
                until=until,
            )
        )
    then_all, now_all = total(one for one, _ in outcomes), total(one for _, one in outcomes)
    return Comparison(
        then=then_all,
        now=now_all,
        spared=_difference(now_all.missed, then_all.missed),
        added=_difference(then_all.missed, now_all.missed),
    )


def _named(policy: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in policy.items() if value is not None}


def _difference(these: Iterable[Problem], those: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems that are among these only, the longest first."""
    known = {(it.workflow_id, it.environment, it.since) for it in those}
    found = [it for it in these if (it.workflow_id, it.environment, it.since) not in known]
    return tuple(sorted(found, key=lambda it: -it.lasted_seconds))


def _as_json(found: Comparison, since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "since": since,
        "until": until,
        "executions": found.now.executions,
        "then": _outcome_as_json(found.then),
        "now": _outcome_as_json(found.now),
        "no_longer_alerted": [_problem_as_json(it) for it in found.spared],
        "newly_alerted": [_problem_as_json(it) for it in found.added],
    }


def _outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    left_out = {"executions", "detected_seconds", "missed"}
    own = {name: value for name, value in asdict(outcome).items() if name not in left_out}
    return own | {
        "alerts": outcome.alerts,
        "notifications": outcome.notifications,
        "time_to_detect_seconds": {
            "median": outcome.median_seconds,
            "worst": outcome.worst_seconds,
        },
        "missed": [_problem_as_json(it) for it in outcome.missed],
    }


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    own = {name: value for name, value in asdict(problem).items() if name != "detected_at"}
    return own | {"lasted_seconds": problem.lasted_seconds}


def _print(
    found: Comparison,
    changes: dict[str, Any],
    settings: Settings,
    since: datetime,
    until: datetime,
) -> None:
    now = datetime.now(UTC)
    span = f"{display.when(since, now)} to {display.when(until, now)}"
    counted = wording.plural(found.now.executions, "execution")
    title = f"{counted} of {settings.project}, {span} ({display.times()})"
    table = display.listing(title, ["=", ">Then", ">Now", ">Change"], list(_rows(found)))
    console().print(table)
    console().print()
    console().print(display.line(f"Then  {_policy_words(settings)}"))
    said = ", ".join(f"{key} = {_value(value)}" for key, value in changes.items())
    console().print(display.line(f"Now   {said or 'the same'}"))
    _print_problems("No alert of these any more", found.spared, now)
    _print_problems("An alert of these only now", found.added, now)


def _rows(found: Comparison) -> Iterable[list[str]]:
    then, now = found.then, found.now
    yield _counts("Alerts", then.alerts, now.alerts)
    for kind in AlertKind:
        one, other = then.opened.get(kind, 0), now.opened.get(kind, 0)
        if one or other:
            yield _counts(f"  {kind.value}", one, other)
    yield _counts("Resolved", then.resolved, now.resolved)
    yield _counts("Messages", then.notifications, now.notifications)
    yield _counts("  openings", then.openings, now.openings)
    yield _counts("  reminders", then.reminders, now.reminders)
    yield _counts("  resolutions", then.resolutions, now.resolutions)
    yield _times("Time to detect, median", then.median_seconds, now.median_seconds)
    yield _times("Time to detect, worst", then.worst_seconds, now.worst_seconds)
    yield _counts("Problems", then.problems, now.problems)
    yield _counts("  without an alert", len(then.missed), len(now.missed))


def _counts(name: str, then: int, now: int) -> list[str]:
    change = f"{now - then:+,}".replace("-", "−") if now != then else ""
    return [name, f"{then:,}", f"{now:,}", change]


def _times(name: str, then: float | None, now: float | None) -> list[str]:
    change = ""
    if then is not None and now is not None and then != now:
        change = wording.change((now - then) * 1000)
    return [name, _seconds(then), _seconds(now), change]


def _seconds(value: float | None) -> str:
    return wording.UNKNOWN if value is None else wording.duration(value * 1000)


def _policy_words(settings: Settings) -> str:
    """Say what the settings have: what differs from the defaults, and for how many it differs."""
    policy, default = asdict(settings.alerts.policy), asdict(Policy())
    said = [f"{key} = {_value(value)}" for key, value in policy.items() if value != default[key]]
    words = ", ".join(said) or f"alert_after = {default['alert_after']}"
    count = len(settings.alert_policies)
    return f"{words}; {wording.plural(count, 'rule')} for some workflows" if count else words


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "/".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return wording.duration(value * 1000) if isinstance(value, float) else str(value)


def _print_problems(title: str, found: Sequence[Problem], now: datetime) -> None:
    if not found:
        return
    several = len({it.environment for it in found}) > 1
    rows = [
        [
            it.workflow_id,
            *([it.environment] if several else []),
            display.when(it.since, now),
            wording.duration(it.lasted_seconds * 1000) if it.until else "goes on",
            f"{it.failures:,}×",
        ]
        for it in found[:SHOWN_PROBLEMS]
    ]
    columns = ["Workflow", *(["Environment"] if several else []), "=Since", ">Lasted", ">Failed"]
    more = len(found) - SHOWN_PROBLEMS
    shown = f"{title}: {wording.plural(len(found), 'problem')}"
    console().print()
    console().print(display.listing(shown + (", the longest" if more > 0 else ""), columns, rows))
