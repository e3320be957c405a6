"""Cron expressions, behind one module so that croniter is met in one place only."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from croniter import CroniterBadDateError, CroniterError, croniter

ALLOWED = "expected five fields such as '*/15 * * * *' or a name such as '@hourly'"

ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
"""The search for a first time of an expression starts here and goes on for decades."""

_RANDOM = re.compile(r"(?:^|\s)R(?:$|[\s(/])", re.IGNORECASE)


def check(expression: str) -> None:
    """Refuse what is not a cron expression of five fields (six with seconds) or an ``@`` name.

    Raises:
        ValueError: One clause that says what is wrong and what is allowed.
    """
    fields = len(expression.split())
    if _RANDOM.search(expression):
        raise ValueError("R draws another time on every look; write H for one that stays")
    if fields not in {5, 6} and not expression.startswith("@"):
        raise ValueError(f"not a cron expression (it has {_fields(fields)}); {ALLOWED}")
    try:
        croniter.expand(expression, hash_id=b"check")
        croniter(expression, ANY_DAY, hash_id=b"check").get_next()
    except CroniterBadDateError:
        raise ValueError("there is no such day, so it would never run") from None
    except (CroniterError, ValueError, TypeError, LookupError, ArithmeticError) as error:
        detail = str(error).strip().rstrip(".") or "it cannot be read"
        if expression.startswith("@"):
            detail = "there is no such name"
        raise ValueError(f"not a cron expression ({detail}); {ALLOWED}") from None


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
