"""Which parts of a login are secrets."""

from __future__ import annotations

from pytest_workflow_monitor.login.secrets import secrets_of


def test_tokens_are_secrets_and_settings_are_not() -> None:
    """What would be masked wherever it stands must not be an everyday word."""
    state = {
        "cookies": [
            {"name": "session", "value": "abc123", "httpOnly": True},
            {"name": "token", "value": "0123456789abcdef"},
            {"name": "language", "value": "en-GB"},
            {"name": "empty", "value": "", "httpOnly": True},
        ],
        "origins": [
            {
                "origin": "http://shop.example",
                "localStorage": [
                    {"name": "theme", "value": "dark"},
                    {"name": "jwt", "value": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"},
                    {"name": "greeting", "value": "Good morning to everybody here"},
                    {
                        "name": "auth",
                        "value": '{"user": {"name": "Ann"}, "tokens": ["r-0123456789abcdef"]}',
                    },
                ],
            }
        ],
    }
    assert set(secrets_of(state)) == {
        "abc123",
        "0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        "r-0123456789abcdef",
    }


def test_nothing_holds_no_secrets() -> None:
    """As the state of somebody who has no cookies."""
    assert secrets_of({}) == []
    assert secrets_of({"cookies": [], "origins": []}) == []
