from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.masking import Secrets, WithheldError
from pytest_workflow_monitor.masking.gate import Gate
from pytest_workflow_monitor.model import Attempt, Status, Step, Workflow
from tests.masking.leaks import encodings, leaks

PASSWORD = "p&ss <w0rd>/\"é'\\+=%"


def knowing(*values: str) -> Secrets:
    """Return secrets that know these values."""
    secrets = Secrets()
    secrets.learn(*values)
    return secrets


def copied(secrets: Secrets, content: bytes) -> bytes:
    """Copy content as a file."""
    target = io.BytesIO()
    secrets.copy(io.BytesIO(content), target)
    return target.getvalue()


def attempt(**changes: object) -> Attempt:
    """Return an attempt with changes."""
    workflow = Workflow(workflow_id="order", name="Order", nodeid="t.py::order", file="t.py")
    made = Attempt(
        run_id="01a2023f-1234-7d1c-9f1a-a62f7b93399f",
        number=1,
        workflow=workflow,
        status=Status.PASSED,
        started_at=datetime(2025, 6, 1, tzinfo=UTC),
        duration_ms=1234.5,
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize("name", encodings(PASSWORD))
@pytest.mark.parametrize("secret", [PASSWORD, "abcd", "täst", "simple-Token9"])
def test_every_encoding_is_masked_and_the_gate_knows_it_too(secret: str, name: str) -> None:
    """Two searches of different kind agree on what is a leak, and that none is left."""
    text = f"before {encodings(secret)[name]} after"
    masked = knowing(secret).text(text)
    assert Gate([secret]).found_in(text) == {secret}
    assert Gate([secret]).found_in(masked) == set()
    assert leaks(masked.encode(), [secret]) == set()
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "[masked]" in masked


@given(secret=st.text(min_size=4, max_size=20), around=st.text(max_size=20))
def test_any_secret_is_masked_in_json(secret: str, around: str) -> None:
    """Whatever its characters, a record stays JSON and holds it no more."""
    secrets = knowing(secret)
    content = json.dumps({"text": around + secret, "list": [secret]}).encode()
    masked = json.loads(secrets.content(content))
    left = "\n".join([masked["text"], *masked["list"]]).replace("[masked]", "\uffff")
    assert not any(value in left for value in secrets.values)


def test_a_record_keeps_its_form_whatever_the_secret() -> None:
    """Names of fields, states, ids, times and numbers stay, or the record could not be read."""
    secrets = knowing("name", "1234", "passed", "2025", "order")
    steps = (Step(index=0, name="Type 1234 as name"),)
    record, encoded = secrets.sealed(attempt(steps=steps, labels={"name": "passed"}))
    read = msgspec.json.decode(encoded, type=Attempt)
    assert read == record
    assert (read.run_id, read.status, read.duration_ms, read.started_at) == (
        "01a2023f-1234-7d1c-9f1a-a62f7b93399f",
        Status.PASSED,
        1234.5,
        datetime(2025, 6, 1, tzinfo=UTC),
    )
    assert read.steps[0].name == "Type [masked] as [masked]"
    assert read.labels == {"[masked]": "[masked]"}
    assert read.workflow.workflow_id == "[masked]"


def test_what_the_masking_misses_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate does not rely on the masking: with none at all, nothing gets through."""
    secrets = knowing("hunter2-hunter2")
    monkeypatch.setattr(secrets, "_may_hold", lambda _: False)
    monkeypatch.setattr(secrets, "_replaced", lambda data: data)
    leak = encodings("hunter2-hunter2")["base64 in the middle"]
    record, encoded = secrets.sealed(attempt(skip_reason=leak, labels={"a": "b"}))
    assert record.skip_reason == "[withheld: it still held a secret after masking]"
    assert record.labels == {"a": "b"}
    assert leak.encode() not in encoded
    with pytest.raises(WithheldError, match="withheld"):
        copied(secrets, leak.encode())
    page = f"<html>{leak}</html>".encode()
    with pytest.raises(WithheldError, match="withheld"):
        secrets.report(page, lambda: "")


def test_a_word_of_our_own_does_not_withhold_a_report() -> None:
    """A secret such as `table` is in every page that has one."""
    secrets = knowing("table")
    page = b"<table>"
    assert secrets.report(page, lambda: "<table>") == page


def test_a_line_that_needs_nothing_is_not_decoded() -> None:
    """The usual record costs a look at its bytes."""
    secrets = knowing("hunter2-hunter2")
    line = msgspec.json.encode(attempt())

    def decode(_: bytes) -> Attempt:
        raise AssertionError

    assert secrets.sealed_line(line, decode) is line


def test_json_is_changed_only_where_it_must_be() -> None:
    """Order, blanks and numbers stay as they were written."""
    secrets = knowing("hunter2", "1234")
    content = b'{ "b" : 1.50,\n "a": ["x hunter2", 1234, 12.5e3], "hunter2": null }\n'
    assert secrets.content(content) == (
        b'{ "b" : 1.50,\n "a": ["x [masked]", "[masked]", 12.5e3], "[masked]": null }\n'
    )


def test_files_that_are_no_text_are_withheld_whole() -> None:
    """What cannot be rewritten is not kept; what holds nothing stays as it is."""
    secrets = knowing("hunter2-hunter2")
    picture = b"\x89PNG\0" + bytes(range(256))
    assert copied(secrets, picture) == picture
    for leak in (b"\0hunter2-hunter2", gzip.compress(b"hunter2-hunter2")):
        with pytest.raises(WithheldError):
            copied(secrets, leak)


def test_a_zip_file_is_rewritten_only_if_need_be() -> None:
    """Members of text are masked, others kept, and a file without secrets is not touched."""
    secrets = knowing("hunter2-hunter2")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("trace.trace", '{"type":"before","params":{"value":"hunter2-hunter2"}}\n')
        archive.writestr("resources/a.png", b"\0\1\2")
    made = copied(secrets, packed.getvalue())
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.read("trace.trace") == (b'{"type":"before","params":{"value":"[masked]"}}\n')
        assert archive.read("resources/a.png") == b"\0\1\2"
    assert copied(Secrets(), packed.getvalue()) == packed.getvalue()
    with pytest.raises(WithheldError, match="cannot be looked through"):
        copied(secrets, packed.getvalue()[:40])


def test_a_damaged_zip_file_is_withheld_and_fails_nobody() -> None:
    """Whichever byte is wrong: it is kept as it is, or withheld with a reason."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trace.trace", b'{"type":"before"}\n' * 50)
    whole, secrets = packed.getvalue(), knowing("hunter2-hunter2")
    reasons = set()
    for place in range(4, len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            assert copied(secrets, bytes(damaged)) == damaged
        except WithheldError as error:
            reasons.add(str(error))
    assert any("while decompressing data" in it for it in reasons)
    assert all(it.startswith("withheld: ") for it in reasons)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /\nAuthorization: Bearer abc\nHost: x", "GET /\nAuthorization: [masked]\nHost: x"),
        ("curl -H 'X-API-Key: abc' x", "curl -H 'X-API-Key: [masked]' x"),
        ('{"cookie": "a=b; c=d", "x": 1}', '{"cookie": "[masked]", "x": 1}'),
        ("{'Set-Cookie': 'a=b', 'x': 1}", "{'Set-Cookie': '[masked]', 'x': 1}"),
        ("[(b'authorization', b'Basic abc')]", "[(b'authorization', b'[masked]')]"),
        (r'"{\"x-auth-token\":\"abc\"}"', r'"{\"x-auth-token\":\"[masked]\"}"'),
        (
            '{"name":"Proxy-Authorization","value":"abc"}',
            '{"name":"Proxy-Authorization","value":"[masked]"}',
        ),
        (
            '"cookies":[{"name":"sid","value":"abc"}],"value":"x"',
            '"cookies":[{"name":"sid","value":"[masked]"}],"value":"x"',
        ),
        ("see https://me:pw@shop/x?a@b", "see https://me:[masked]@shop/x?a@b"),
        ("the authorization failed", "the authorization failed"),
        ("my-cookie-jar: full", "my-cookie-jar: full"),
    ],
)
def test_secrets_by_their_place(text: str, masked: str) -> None:
    """Headers and addresses are masked although nobody knew the value."""
    assert Secrets().text(text) == masked


def test_what_is_learnt_is_told_once() -> None:
    """Other processes are handed what their environment does not tell them."""
    secrets = Secrets()
    secrets.learn_environment({"API_TOKEN": "from-the-environment"})
    assert secrets.learnt() == ()
    assert secrets.learn("new-value", "from-the-environment", "abc")
    assert not secrets.learn("new-value")
    assert secrets.learnt() == ("new-value",)
    assert secrets.learnt(1) == ()


def test_lines_of_a_key_file_are_secrets() -> None:
    """A traceback may show one of them alone."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhki\nshort\n-----END KEY-----\n"
    secrets = knowing(key)
    assert secrets.text("x MIIEvQIBADANBgkqhki short") == "x [masked] short"


def test_many_secrets_cost_few_searches() -> None:
    """A password made up by each of a thousand tests must not make the next one slow."""
    secrets = Secrets()
    for number in range(300):
        secrets.learn(f"made-up-{number:05}")
    assert len(secrets._matchers) < 10
    assert secrets.text("made-up-00007 made-up-00299") == "[masked] [masked]"
