from __future__ import annotations

from typing import TYPE_CHECKING

from tests.schedule.killing import Massacre

if TYPE_CHECKING:
    from tests.schedule.yard import Yard

KILLS = 20


def test_every_slot_runs_once_or_says_why_not(yard: Yard) -> None:
    """Three schedulers and four workers are killed at random; no slot is doubled, none silent."""
    account = Massacre(yard, workflows=4, seed=7).carry_out(KILLS, pause=0.2)
    assert account.doubled == []
    assert account.silent == []
    assert account.ran > 0
