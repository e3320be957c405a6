"""A generated history of a shop whose every incident, change and habit is known beforehand.

:func:`~tests.history.plan.plan_of` makes the truth, :func:`~tests.history.playing.play` the
sessions that follow from it, and :func:`~tests.history.storing.fill` stores them as ingest would.
The same seed and end make the same history. ``python -m tests.history`` fills a database.
"""

from tests.history.plan import plan_of
from tests.history.playing import play
from tests.history.storing import Filled, fill
from tests.history.truth import Truth

__all__ = ["Filled", "Truth", "fill", "plan_of", "play"]
