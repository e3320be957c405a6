from __future__ import annotations

import pytest

from pytest_workflow_monitor.recording.addresses import MAX_ADDRESS, safe_url, with_safe_urls


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://shop.example/a?b=c#d", "https://shop.example/a?b=c#d"),
        ("https://ann:secret@shop.example/", "https://shop.example/"),
        ("https://ann:p@ss@shop.example/?q=a@b", "https://shop.example/?q=a@b"),
        ("https://shop.example/?token=1&page=2&API_KEY=3", None),
        ("https://shop.example/#access_token=1&state=2", None),
        ("https://shop.example/?sessionId=1;sid=2", None),
        (
            "https://shop.example/?postcode=1&keyword=2",
            "https://shop.example/?postcode=1&keyword=2",
        ),
        ("data:image/png;base64,QUJD", "data:image/png,…"),
        ("about:blank", "about:blank"),
    ],
)
def test_an_address_is_kept_without_secrets(url: str, safe: str | None) -> None:
    """User and password go; parameters named like secrets lose their values, others stay."""
    found = safe_url(url)
    if safe is None:
        assert found.partition("?")[0].partition("#")[0] == "https://shop.example/"
        assert "=1" not in found
        assert "=3" not in found
        assert "***" in found
    else:
        assert found == safe


def test_addresses_within_a_text_are_safe_too() -> None:
    """What the console says quotes addresses."""
    text = "Blocked 'https://shop.example/a?token=abc' from http://ann:b@shop.example."
    assert with_safe_urls(text) == (
        "Blocked 'https://shop.example/a?token=***' from http://shop.example."
    )


def test_a_very_long_address_is_cut() -> None:
    """And quickly: it may be a whole document."""
    assert len(safe_url("https://shop.example/?q=" + "a" * 5_000_000)) == MAX_ADDRESS
