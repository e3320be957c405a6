"""How the sample of a series grows, and when something else has become normal.

A new level is normal once the median of the latest ``settle_points`` values lies two spreads off
and four of five of them lie on that side; a part of the sample then moves there, so that the shape
of its tails is kept. Another spread is normal once a fifth of the latest ``settle_points`` values
were anomalous, and a fifth of as many before them.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.series import rhythm as rhythms
from pytest_workflow_monitor.analysis.series.baselines import Season
from pytest_workflow_monitor.analysis.series.sample import Sample, quantile

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.series.baselines import Rhythm, SeriesState

CAPACITY = 200
"""So many values are kept of a series."""

WIDEST_SPACING = 2_400.0
"""Seconds: 200 values 40 minutes apart span five and a half days."""

PUNCTUAL = 0.9
"""A value is kept from this share of the spacing on, for schedules are never quite punctual."""

LEAST_KEPT = 5
"""With fewer values there is no level that could have moved."""

SHIFT_SPREADS = 2.0
ON_ONE_SIDE = 0.8
STRANGE_SHARE = 0.2
OLD_SHARE = 2
"""After a move, so many old values are kept for each of the new ones."""

OTHER_SPREAD = 2.5
"""A new level whose spread is so many times larger or smaller keeps nothing of the old tails."""


def keep(state: SeriesState, sample: Sample, seconds: float, slot: int, left: float) -> None:
    """Put a normal value into the sample, unless it comes too soon after the last one.

    A full sample is thinned out to half, until its values are 40 minutes apart; from then on the
    oldest goes.
    """
    if state.kept and seconds - state.kept_at < PUNCTUAL * state.spacing:
        return
    state.kept.append(left)
    state.slots.append(slot)
    state.kept_at = seconds
    sample.add(left)
    if len(state.kept) <= CAPACITY:
        return
    gap = (seconds - state.first_at) / state.points
    if max(state.spacing, gap) * 2 <= WIDEST_SPACING:
        state.spacing = max(state.spacing, gap) * 2
        del state.kept[::2], state.slots[::2]
        sample.ordered[:] = sorted(state.kept)
    else:
        state.spacing = min(WIDEST_SPACING, 2 * gap) if gap < WIDEST_SPACING / 2 else 0.0
        sample.remove(state.kept.pop(0))
        del state.slots[0]


def settled(state: SeriesState, sample: Sample, size: int, least: float) -> Sample | None:
    """Return the sample of what became normal just now; None while all stays as it is.

    Args:
        state: Of the series, with the latest value; changed if something became normal.
        sample: What was normal.
        size: The points that a new level must have lasted.
        least: The smallest difference of levels that counts, on the working scale.
    """
    if len(state.recent) < size or len(state.kept) < LEAST_KEPT:
        return None
    latest = state.recent[-size:]
    jump = _jump(sorted(left for left, _ in latest), sample, least)
    if jump:
        return _moved(state, sample, latest, jump)
    return _replaced(state, state.recent) if _is_restless(state, size) else None


def _is_restless(state: SeriesState, size: int) -> bool:
    """Tell whether a fifth of the latest values, and of those before them, were anomalous."""
    later = (state.strange & ((1 << size) - 1)).bit_count()
    earlier = (state.strange >> size).bit_count()
    return min(earlier, later) >= STRANGE_SHARE * size


def _jump(latest: list[float], sample: Sample, least: float) -> float:
    """Return by how much the level has moved for good; 0.0 while it has not."""
    level, spread = sample.quantile(0.5), sample.spread
    jump = quantile(latest, 0.5) - level
    if abs(jump) <= max(SHIFT_SPREADS * spread, least):
        return 0.0
    edge = level + spread if jump > 0 else level - spread
    beyond = sum((left > edge) == (jump > 0) for left in latest)
    return jump if beyond >= ON_ONE_SIDE * len(latest) else 0.0


def _moved(
    state: SeriesState, sample: Sample, latest: list[tuple[float, int]], jump: float
) -> Sample:
    """Move a part of the sample to the new level, so that the shape of its tails is kept."""
    level = sample.quantile(0.5)
    latest = [pair for pair in latest if abs(pair[0] - level - jump) < abs(pair[0] - level)]
    jump = quantile(sorted(left for left, _ in latest), 0.5) - level
    spread = Sample(left for left, _ in latest).spread
    if not sample.spread / OTHER_SPREAD <= spread <= sample.spread * OTHER_SPREAD:
        return _replaced(state, latest)
    every = max(1, len(state.kept) // (OLD_SHARE * len(latest)))
    old = zip(state.kept[::every], state.slots[::every], strict=True)
    return _replaced(state, [*((left + jump, slot) for left, slot in old), *latest])


def _replaced(state: SeriesState, pairs: list[tuple[float, int]]) -> Sample:
    has_season = state.rhythm is not None and state.rhythm.season is not Season.NONE
    state.kept = [rhythms.rounded(left, is_level=not has_season) for left, _ in pairs]
    state.slots = [slot for _, slot in pairs]
    state.recent = []
    state.strange = 0
    return Sample(state.kept)


def rebase(state: SeriesState, rhythm: Rhythm, season: Season) -> Sample:
    """Return the sample as deviations from another rhythm.

    What a value had itself taught the rhythm makes its deviation look smaller; that is undone.
    """
    pairs = []
    for left, slot in zip(state.kept, state.slots, strict=True):
        before = rhythms.predicted(rhythm, slot, rhythm.season)
        after = rhythms.predicted(rhythm, slot, season)
        if before is None or after is None:
            continue
        share = 1 / (rhythms.visits(rhythm, slot, season) + 1) if season is not Season.NONE else 0.0
        pairs.append(((left + before - after) * sqrt((1 + share) / (1 - share)), slot))
    rhythm.season = season
    return _replaced(state, pairs)
