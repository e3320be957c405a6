"""Plays a soak: all of its stretches at once, and judges at the end."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.errors import CollectionError, WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.schedule.collecting import collect
from pytest_workflow_monitor.soak.account import Account, take_account
from pytest_workflow_monitor.soak.company import Company
from pytest_workflow_monitor.soak.expectation import enabled
from pytest_workflow_monitor.soak.progress import SchedulesChangedError, schedules_of
from pytest_workflow_monitor.soak.scratch import environment, settings_in, stretch_folder
from pytest_workflow_monitor.soak.stretch import Outcome, Stretch
from pytest_workflow_monitor.soak.verdict import Verdict, judge
from pytest_workflow_monitor.soak.vitals import Vitals, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.soak.progress import Progress
    from pytest_workflow_monitor.soak.stretch import Look


class NoSchedulesError(WorkflowMonitorError):
    """No workflow here has a schedule: give its marker a `cron` or an `every`."""


class Checkpoint(Record, frozen=True, kw_only=True):
    """How it goes: how much time was played, what became of slots, and what was measured.

    Of all stretches together.
    """

    played_seconds: float
    account: Account
    vitals: Vitals


def play(
    settings: Settings,
    environ: Mapping[str, str],
    folder: Path,
    stretches: Sequence[Progress],
    *,
    stop: threading.Event,
    tell: Callable[[Checkpoint], None],
) -> Verdict:
    """Play a project's schedules and judge how that went.

    Args:
        settings: Those of the project.
        environ: The environment of this process.
        folder: The soak's.
        stretches: What to play, and what of it was played before.
        stop: Set, it ends the soak early.
        tell: Is told of every checkpoint.

    Raises:
        NoSchedulesError: There is nothing to play.
        SchedulesChangedError: The soak began with other schedules.
        CollectionError: The tests cannot be collected, all of them.
        ServiceFailedError: A service did not start.
        StoreError: A database cannot be used.
    """
    workflows = _scheduled(settings)
    schedules = schedules_of(workflows.values())
    if any(it.parts and it.schedules != schedules for it in stretches):
        raise SchedulesChangedError
    company = Company(stretches, stop)
    news: SimpleQueue[_News] = SimpleQueue()
    players = []
    for progress in stretches:
        place = stretch_folder(folder, progress)
        own_environ = environment(settings, place, environ, in_database=progress.in_database)
        stretch = Stretch(
            settings_in(settings, own_environ),
            own_environ,
            place,
            replace(progress, schedules=schedules),
            workflows,
            company,
        )
        players.append(_Player(stretch, company, news))
    for player in players:
        player.start()
    _follow(players, news, tell)
    outcomes = _outcomes(players)
    account = take_account(it.audit for it in outcomes)
    return judge(account, [it.progress for it in outcomes])


def _scheduled(settings: Settings) -> dict[str, Workflow]:
    collection = collect(settings)
    if collection.broken:
        raise CollectionError(f"{collection.broken[0]}.")
    workflows = enabled(collection.workflows, settings.environment)
    if not workflows:
        raise NoSchedulesError
    return workflows


class _Player(threading.Thread):
    """Plays a stretch, and says so when it has ended; it keeps no process from its end."""

    def __init__(self, stretch: Stretch, company: Company, news: SimpleQueue[_News]) -> None:
        super().__init__(daemon=True)
        self._stretch = stretch
        self._company = company
        self._news = news
        self.outcome: Outcome | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        """Play it."""
        try:
            self.outcome = self._stretch.play(lambda look: self._news.put((self, look)))
        except Exception as error:  # noqa: BLE001 - it is raised where the soak was asked for
            self.error = error
        if self.outcome is None or self.outcome.progress.parts[-1].problem:
            self._company.abandon()
        self._news.put((self, None))


_News = tuple[_Player, "Look | None"]
"""How a player's stretch goes; None when it has ended."""


def _follow(
    players: Sequence[_Player], news: SimpleQueue[_News], tell: Callable[[Checkpoint], None]
) -> None:
    """Tell of a checkpoint when every stretch that goes on has had one, until all have ended."""
    latest: dict[_Player, Look] = {}
    playing, fresh = set(players), set[_Player]()
    while playing:
        player, look = news.get()
        if look is None:
            playing.remove(player)
        else:
            latest[player] = look
            fresh.add(player)
        if fresh and playing <= fresh:
            fresh.clear()
            tell(_checkpoint(list(latest.values())))


def _checkpoint(looks: Sequence[Look]) -> Checkpoint:
    return Checkpoint(
        played_seconds=sum(it.played_seconds for it in looks),
        account=take_account(it.audit for it in looks),
        vitals=together([it.vitals for it in looks]),
    )


def _outcomes(players: Sequence[_Player]) -> list[Outcome]:
    """Return how the stretches ended; of errors the one that ended the others."""
    errors = [it.error for it in players if it.error is not None]
    if errors:
        raise next(
            (it for it in errors if not isinstance(it, threading.BrokenBarrierError)), errors[0]
        )
    return [it.outcome for it in players if it.outcome is not None]
