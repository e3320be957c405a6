"""Forms: reading them, and friendly messages for what is missing or wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.datastructures import FormData

from examples.farmers_market.security import check_form_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Form:
    """What somebody typed, and a message for each field that needs correcting.

    The methods return the cleaned value of a field. When it is wrong they note why and return
    it anyway, so that one look finds all mistakes; use the values only if `errors` is empty.
    """

    def __init__(self, data: FormData | None = None) -> None:
        self.data = data or FormData()
        self.errors: dict[str, str] = {}

    def value(self, name: str) -> str:
        """Return a field as it was typed, without the spaces around it."""
        value = self.data.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def values(self, name: str) -> list[str]:
        """Return all values of a field that can be ticked several times."""
        return [value for value in self.data.getlist(name) if isinstance(value, str)]

    def refuse(self, name: str, message: str) -> None:
        """Note what is wrong with a field; the first message stays."""
        self.errors.setdefault(name, message)

    def text(self, name: str, *, missing: str, least: int = 1, most: int = 120) -> str:
        """Require a text of `least` to `most` characters."""
        value = self.value(name)
        if not value:
            self.refuse(name, missing)
        elif len(value) < least:
            self.refuse(name, f"Please write at least {least} characters.")
        elif len(value) > most:
            self.refuse(name, f"Please keep it under {most} characters.")
        return value

    def email(self, name: str) -> str:
        """Require something that looks like an e-mail address."""
        value = self.text(name, missing="Please enter your e-mail address.", most=200)
        if value and not EMAIL.fullmatch(value):
            self.refuse(name, "This does not look like an e-mail address, like ann@example.org.")
        return value

    def matching(self, name: str, pattern: str, *, missing: str, wrong: str) -> str:
        """Require a text that matches a regular expression as a whole."""
        value = self.text(name, missing=missing)
        if value and not re.fullmatch(pattern, value):
            self.refuse(name, wrong)
        return value

    def choice(self, name: str, allowed: Sequence[str], *, missing: str) -> str:
        """Require one of the allowed values."""
        value = self.value(name)
        if value not in allowed:
            self.refuse(name, missing)
        return value


async def read_form(request: Request) -> Form:
    """Read the form of a request, and refuse it when it does not belong to this session."""
    form = Form(await request.form())
    check_form_token(request, form.value("form_token"))
    return form
