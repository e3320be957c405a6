"""Learns what a test types into password fields, so that it is masked like any other secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.recording.browser.watch import Observer, harmless, is_async
from pytest_workflow_monitor.recording.secrecy import keep_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.recording.recorder import Recorder

BINDING = "__workflowMonitorSecret"

SCRIPT = """(() => {
  const send = window.BINDING;
  const told = new WeakMap();
  const isSecret = it =>
    it instanceof HTMLInputElement && (it.type === "password" || told.has(it));
  const tell = it => {
    if (it.value.length > 3 && told.get(it) !== it.value) {
      told.set(it, it.value);
      send(it.value);
    }
  };
  const listen = (name, act) => addEventListener(name, event => {
    const it = event.composedPath()[0];
    if (isSecret(it)) act(it, event);
  }, true);
  listen("input", (it, event) => {
    if (!told.has(it)) told.set(it, "");
    if (!event.data || event.data.length > 1) tell(it);
  });
  listen("change", tell);
  listen("blur", tell);
  const all = () => document.querySelectorAll("input[type=password]").forEach(tell);
  addEventListener("submit", all, true);
  addEventListener("pagehide", all, true);
})()""".replace("BINDING", BINDING)
"""Tells a value when it is complete: filled in as a whole, left, submitted.

While somebody types letter by letter, what is there so far is no secret of its own.
"""

READ = "[...document.querySelectorAll('input[type=password]')].map(it => it.value)"


class PasswordFields(Observer):
    """Learns the values of password fields when they change, and those left at the end."""

    def context_opened(self, context: Any) -> None:
        """Listen in all pages that the context will have, from their beginning."""
        if not is_async(context):
            context.expose_binding(BINDING, harmless(_on_value))
            context.add_init_script(SCRIPT)

    def test_ended(self, recorder: Recorder, pages: Sequence[Any]) -> None:  # noqa: ARG002
        """Read the fields that have been typed into and not been left."""
        for page in pages:
            for frame in page.frames:
                for value in frame.evaluate(READ):
                    keep_secret(value)


def _on_value(_source: Any, value: Any) -> None:
    if isinstance(value, str):
        keep_secret(value)
