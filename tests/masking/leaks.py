"""Secrets in every encoding, and a search for them through whatever a run leaves behind."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOB = re.compile(rb"[A-Za-z0-9+/]{200,}={0,2}")


def encodings(secret: str) -> dict[str, str]:
    """Write a secret in all the ways in which programs write text."""
    raw = secret.encode()
    quoted = json.dumps(secret)
    return {
        "plain": secret,
        "json": quoted,
        "json in json": json.dumps(json.dumps({"password": secret})),
        "python": secret.encode("unicode_escape").decode(),
        "python in json": json.dumps(repr(secret)),
        "url": quote(secret, safe=""),
        "form": quote_plus(secret),
        "html": html.escape(secret),
        "html decimal": "".join(c if c.isalnum() else f"&#{ord(c)};" for c in secret),
        "html hexadecimal": "".join(c if c.isalnum() else f"&#x{ord(c):X};" for c in secret),
        "html in json": json.dumps(html.escape(secret)),
        "json in html": html.escape(quoted),
        "json in url": quote(quoted),
        "base64": base64.b64encode(raw).decode(),
        "base64 of a pair": base64.b64encode(b"user:" + raw).decode(),
        "base64 in the middle": base64.b64encode(b"x" * 7 + raw + b"&more").decode(),
        "base64 for urls": base64.urlsafe_b64encode(b"{'k': " + raw + b"}").decode(),
    }


def needles(secret: str) -> set[bytes]:
    """What must not be found: each encoding, of base64 the part that only the secret decides."""
    found = {
        text.removeprefix('"').removesuffix('"').encode()
        for name, text in encodings(secret).items()
        if "base64" not in name
    }
    found.add(json.dumps(json.dumps(secret)[1:-1])[1:-1].encode())
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret.encode() + b"\0" * 3).decode()
        core = whole[-(-before * 4 // 3) : (before + len(secret.encode())) * 4 // 3]
        found |= {core.encode(), core.replace("+", "-").replace("/", "_").encode()}
    return found


def leaks(content: bytes, secrets: list[str]) -> set[str]:
    """Return the secrets that are found in some bytes, and in what is packed inside them."""
    every = {secret: needles(secret) for secret in secrets}
    found = set()
    for layer in layers(content):
        found |= {it for it, forms in every.items() if any(form in layer for form in forms)}
    return found


def layers(content: bytes) -> Iterator[bytes]:
    """The bytes, the members of a ZIP file, and data of a page, decompressed."""
    yield content
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    for blob in _BLOB.findall(content):
        try:
            data = base64.b64decode(blob, validate=True)
        except ValueError:
            continue
        if data.startswith(b"\x1f\x8b"):
            yield gzip.decompress(data)


def leaks_in_files(paths: list[Path], secrets: list[str]) -> dict[str, set[str]]:
    """Search files, and all those in folders; return what was found in which."""
    files = [it for path in paths for it in ([path] if path.is_file() else path.rglob("*"))]
    found = {str(it): leaks(it.read_bytes(), secrets) for it in files if it.is_file()}
    return {name: secrets for name, secrets in found.items() if secrets}


def leaks_in_database(database_url: str, secrets: list[str]) -> dict[str, set[str]]:
    """Search all rows of all tables, each as one text."""
    found = {}
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema = 'workflow_monitor' AND table_type = 'BASE TABLE'"
        ).fetchall()
        for schema, table in tables:
            statement: LiteralString = "SELECT t::text FROM {} AS t"
            rows = connection.execute(
                sql.SQL(statement).format(sql.Identifier(schema, table))
            ).fetchall()
            text = "\n".join(row for (row,) in rows)
            plain = text.replace("\\\\", "\\").replace('""', '"')
            found[table] = leaks(f"{text}\n{plain}".encode(), secrets)
    return {table: secrets for table, secrets in found.items() if secrets}
