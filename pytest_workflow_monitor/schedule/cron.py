"""Cron expressions, behind one module so that croniter is met in one place only."""

from __future__ import annotations

from croniter import CroniterError, croniter

ALLOWED = "expected five fields such as '*/15 * * * *' or a name such as '@hourly'"


def check(expression: str) -> None:
    """Refuse what is not a cron expression of five fields (six with seconds) or an ``@`` name.

    Raises:
        ValueError: One clause that says what is wrong and what is allowed.
    """
    fields = len(expression.split())
    if fields not in {5, 6} and not expression.startswith("@"):
        raise ValueError(f"not a cron expression (it has {_fields(fields)}); {ALLOWED}")
    try:
        croniter.expand(expression, hash_id=b"check")
    except (CroniterError, ValueError, TypeError, KeyError, AttributeError) as error:
        detail = str(error).strip().rstrip(".") or "it cannot be read"
        if expression.startswith("@"):
            detail = "there is no such name"
        raise ValueError(f"not a cron expression ({detail}); {ALLOWED}") from None


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
