"""What an export is asked for, and what it is: files, and what is missing from them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence


class Request(Record, frozen=True, kw_only=True):
    """What is the same for all workflows of an export.

    Attributes:
        project: Whose they are.
        environment: Where the system under test lives.
        folder: Where the command runs.
        command: What is put before ``run`` and the workflows' ids.
        now: Zones are judged by the year from then.
        user: Who runs it; empty for the one whose table it is.
        env_file: A file with variables such as DATABASE_URL; empty for none.
        zone: The zone of the machine's clock, for those who know no other.
        image: The container image.
        namespace: Kubernetes' namespace; empty for none.
        secret: The name of Kubernetes' secret with variables such as DATABASE_URL.
        install: What installs the project's packages in CI.
    """

    project: str
    environment: str
    folder: str
    command: str
    now: datetime
    user: str = ""
    env_file: str = ""
    zone: str = "UTC"
    image: str = ""
    namespace: str = ""
    secret: str = "workflow-monitor"  # noqa: S105 - the name of a secret
    install: str = "python -m pip install -r requirements.txt"


class Export(Record, frozen=True, kw_only=True):
    """Files by their name, and why a workflow is in none of them, by its id."""

    files: dict[str, str]
    refused: dict[str, str] = {}


class Spelled(Record, frozen=True, kw_only=True):
    """A schedule as another scheduler writes it, and in what that differs from ours."""

    lines: tuple[str, ...]
    zone: str
    note: str = ""


class Group(Record, frozen=True, kw_only=True):
    """Workflows that run at the same times.

    Attributes:
        name: A name of lower-case letters, digits and dashes, different from the others'.
        words: Their schedule in words.
        spelled: Their schedule as another scheduler writes it.
        workflow_ids: Their ids.
        grace_seconds: How late they may begin.
        limit_seconds: How long they may take, one after the other.
    """

    name: str
    words: str
    spelled: Spelled
    workflow_ids: tuple[str, ...]
    grace_seconds: float
    limit_seconds: float


def remarks(lines: Sequence[str]) -> str:
    """Return lines as remarks, for files in which those begin with ``#``."""
    return "".join(f"# {line}\n" if line else "#\n" for line in lines)
