"""Decides what may become a link."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_link(url: str) -> str:
    """Return ``url`` if it may become a link (http or https, a host, no spaces), else ""."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    is_plain = url.isprintable() and " " not in url
    return url if is_web and is_plain else ""
