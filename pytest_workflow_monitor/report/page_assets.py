"""The style and scripts of a page, and the policy that admits them and nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Assets(NamedTuple):
    """What a template puts into its page; ``policy`` names the rest by their hashes."""

    style: str
    early_script: str
    script: str
    policy: str


@cache
def assets(styles: tuple[str, ...], scripts: tuple[str, ...]) -> Assets:
    """Read files of ``assets/`` and ``assets/js/``, in this order."""
    folder = files("pytest_workflow_monitor.report") / "assets"
    style = "".join((folder / name).read_text("utf-8") for name in styles)
    script = "\n".join((folder / "js" / name).read_text("utf-8") for name in scripts)
    early = (folder / "js" / "early.js").read_text("utf-8")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(early)} {_hash(script)}"
    )
    return Assets(style, early, script, policy)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
