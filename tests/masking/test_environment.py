from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.masking.environment import is_secret_name, secrets_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name",
    [
        "API_TOKEN",
        "apiKey",
        "PGPASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "OAUTH2",
        "MY_CREDENTIALS",
        "KEY",
    ],
)
def test_names_of_secrets(name: str) -> None:
    """A part of the name is enough, in any case."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "SSH_AUTH_SOCK",
        "GIT_AUTHOR_NAME",
        "KEYBOARD_LAYOUT",
        "TOKENIZERS_PARALLELISM",
        "HOME",
        "PWD",
    ],
)
def test_names_that_mean_something_else(name: str) -> None:
    """Words that only hold such a part do not hide harmless values."""
    assert not is_secret_name(name)


def test_values_of_switches_and_paths_are_no_secrets(tmp_path: Path) -> None:
    """Masking every ``true`` would make records unreadable, and a path is no content."""
    environ = {
        "USE_TOKEN": "True",
        "SSL_KEY": str(tmp_path),
        "API_KEY": "/not/a/path",
        "PIN_TOKEN": "1234",
    }
    assert set(secrets_in(environ)) == {"/not/a/path", "1234"}


def test_passwords_of_addresses_are_secrets_under_any_name() -> None:
    """As they are written, and as the server gets them."""
    environ = {
        "A": "postgresql://me:p%40ss@db/x",
        "B": "host=db password='it is' user=me",
        "C": "https://shop.example/a:b@c",
    }
    assert set(secrets_in(environ)) == {"p%40ss", "p@ss", "it is"}


def test_further_parts_of_names() -> None:
    """In any case."""
    assert list(secrets_in({"SHOP_PIN": "4711"}, ["pin"])) == ["4711"]
