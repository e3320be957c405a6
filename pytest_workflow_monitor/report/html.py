"""One session as one HTML file that needs no network and can be read without JavaScript.

The file holds, in this order: the verdict, what needs attention and the first rows of the table as
HTML, then everything as compressed data, from which ``assets/js`` shows the rest. A strict
Content-Security-Policy names the style and the scripts by their hashes, so that nothing else in
the file can act, whatever a test wrote into it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Priority, Status
from pytest_workflow_monitor.report import pictures
from pytest_workflow_monitor.report.attachments import Attachments
from pytest_workflow_monitor.report.cases import (
    KIND_SHAPES,
    KIND_WORDS,
    case_of,
    kind_of,
    kinds,
    readable,
    row_view,
)
from pytest_workflow_monitor.report.gate import gate_view
from pytest_workflow_monitor.report.guard import checked, masked
from pytest_workflow_monitor.report.links import web_link
from pytest_workflow_monitor.report.page_assets import assets
from pytest_workflow_monitor.report.page_data import (
    DetailMaker,
    Row,
    pack_details,
    pack_rows,
    row_of,
    varying_dimensions,
    wanted_pictures,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.analysis.gate import Verdict
    from pytest_workflow_monitor.model import Execution, SessionDocument, SessionStarted

MAX_CASES = 200
CASES_AT_ONCE = 12
"""Cases beyond it are folded away, so that the table stays near."""

MAX_STATIC_ROWS = 60
STYLES = ("tokens.css", "base.css", "report.css")
SCRIPTS = (
    "words.js",
    "dom.js",
    "data.js",
    "pictures.js",
    "waterfall.js",
    "evidence.js",
    "compare.js",
    "measured.js",
    "panel.js",
    "cases.js",
    "filters.js",
    "table.js",
    "keys.js",
    "theme.js",
    "main.js",
)
BLANK_ROW = row_view(
    Row(id="", key="", name="", status=Status.RUNNING, recent="", priority=Priority.MEDIUM)
)


class Fact(NamedTuple):
    """One thing to know about the session, under the verdict."""

    label: str
    text: str = ""
    link: str = ""
    at: datetime | None = None


def render_html(
    document: SessionDocument,
    verdict: Verdict | None = None,
    *,
    state_path: Path | None = None,
    artifacts_http_url: str = "",
) -> bytes:
    """Render the report of a session; without ``state_path`` no file is embedded."""
    document = masked(document)
    template = _environment().get_template("session.html.j2")
    attachments = Attachments(state_path, http_url=artifacts_http_url)
    gate = gate_view(known.record(verdict)) if verdict is not None else None
    text = template.render(_context(document, attachments), gate=gate)
    return checked(text.encode("utf-8", "replace"))


def _context(document: SessionDocument, attachments: Attachments) -> dict[str, Any]:
    maker = DetailMaker(document.session.started_at, attachments)
    ordered = summary.attention(document.executions)
    for artifacts in wanted_pictures(ordered):
        attachments.embed(artifacts)
    varying = varying_dimensions(document.executions)
    at_once = CASES_AT_ONCE if len(ordered) > CASES_AT_ONCE + 3 else len(ordered)
    positions = {id(execution): n for n, execution in enumerate(document.executions)}
    shown = [
        case_of(execution, positions[id(execution)], varying, maker, is_brief=rank >= at_once)
        for rank, execution in enumerate(ordered[:MAX_CASES])
    ]
    rows = [row_of(execution, varying) for execution in document.executions]
    first = sorted(document.executions, key=summary.attention_order)[:MAX_STATIC_ROWS]
    totals = kinds(document.executions)
    return {
        **assets(STYLES, SCRIPTS)._asdict(),
        "document": document,
        "summary": summary.summarize(document),
        "title": _title(document.session),
        "worst": _worst(ordered, document),
        "facts": _facts(document),
        "notices": _notices(document),
        "about": _about(document),
        "origin_ms": int(document.session.started_at.timestamp() * 1_000),
        "totals": totals,
        "balance": pictures.proportions(totals),
        "cases": shown[:at_once],
        "more_cases": shown[at_once:],
        "cases_left_out": len(ordered) - len(shown),
        "rows": [row_view(row_of(execution, varying)) for execution in first],
        "rows_left_out": len(rows) - len(first),
        "blank_row": BLANK_ROW,
        "rows_data": pack_rows(rows),
        "chunks": list(pack_details(map(maker.detail, document.executions))),
        "images": attachments.unplaced,
    }


def _worst(ordered: list[Execution], document: SessionDocument) -> str:
    if ordered:
        return kind_of(ordered[0].status, is_flaky=ordered[0].is_flaky)
    found = summary.totals(document.executions)
    for status in (Status.RUNNING, Status.PASSED):
        if status in found:
            return status.value
    return Status.SKIPPED.value


def _title(session: SessionStarted) -> str:
    return readable(wording.cut(f"{session.project} · {session.environment}", 200))


def _facts(document: SessionDocument) -> list[Fact]:
    session = document.session
    commit = session.git_commit[:7]
    trigger = f"{session.trigger} · {session.ci_name}" if session.ci_name else str(session.trigger)
    if session.git_branch:
        commit = f"{commit} on {session.git_branch}" if commit else session.git_branch
    facts = [
        Fact("Environment", session.environment),
        Fact("Location", session.location),
        Fact("Started", at=session.started_at),
        Fact("Late by", _lateness(session)),
        Fact("Took", _took(document)),
        Fact("Commit", commit),
        Fact("Started by", trigger, link=web_link(session.ci_url)),
    ]
    return [
        fact._replace(text=readable(wording.cut(fact.text, 200)))
        for fact in facts
        if fact.text or fact.at
    ]


def _lateness(session: SessionStarted) -> str:
    late = session.lateness_seconds
    return "" if late is None else wording.duration(late * 1000)


def _took(document: SessionDocument) -> str:
    took = summary.session_duration_ms(document)
    return "not ended" if took is None else wording.duration(took)


def _notices(document: SessionDocument) -> list[str]:
    notices = [readable(notice) for notice in document.notices]
    if document.ended is None:
        notices.insert(0, "This session has not ended: the report shows what is known so far.")
    elif document.ended.interrupted:
        notices.insert(0, "This session was interrupted: some workflows may not have run.")
    return notices


def _about(document: SessionDocument) -> list[tuple[str, str]]:
    session, ended = document.session, document.ended
    versions = ", ".join(f"{name} {version}" for name, version in session.versions.items())
    facts = [
        ("Session", session.session_id),
        ("Command", " ".join(["pytest", *session.arguments])),
        ("Folder", session.rootdir),
        ("Host", f"{session.host}, process {session.pid}"),
        ("Commit", session.git_commit),
        ("Versions", versions),
        ("Tests collected", f"{ended.tests_collected:,}" if ended else ""),
        ("Exit status", str(ended.exit_status) if ended and ended.exit_status is not None else ""),
    ]
    return [(label, readable(wording.cut(text, 2_000))) for label, text in facts if text]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.PackageLoader("pytest_workflow_monitor.report"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"iso": _iso, "full": wording.full_instant, "said": _said} | {
        "readable": readable,
        "cut": wording.cut,
        "web_link": web_link,
    }
    environment.globals |= {"kind_words": KIND_WORDS, "shapes": KIND_SHAPES}
    return environment


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _said(moment: datetime) -> str:
    """Say an instant with its day; the page's script says it again in the reader's zone."""
    local = moment.astimezone(UTC)
    return f"{local.day} {wording.MONTHS[local.month - 1]} {local:%H:%M} UTC"
