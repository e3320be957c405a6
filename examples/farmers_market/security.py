"""Passwords and the tokens that protect forms."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

COST, BLOCK, PARALLEL = 2**14, 8, 1
NOBODY = "0" * 32 + "$" + "0" * 64


class ForgedFormError(Exception):
    """A form came without the token of this session: too old, or sent by another site."""


def hash_password(password: str) -> str:
    """Return salt and scrypt hash of a password; takes some 50 ms, on purpose."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def password_matches(password: str, stored: str | None) -> bool:
    """Tell whether a password belongs to a stored hash; as slow for nobody as for somebody."""
    salt, _, digest = (stored or NOBODY).partition("$")
    matches = hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), digest)
    return matches and stored is not None


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, dklen=32)


def form_token(request: Request) -> str:
    """Return the session's token, which every form carries in a hidden field."""
    if "form_token" not in request.session:
        request.session["form_token"] = secrets.token_urlsafe(24)
    token: str = request.session["form_token"]
    return token


def check_form_token(request: Request, given: str) -> None:
    """Raise `ForgedFormError` unless the form carried this session's token."""
    expected = request.session.get("form_token", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise ForgedFormError
