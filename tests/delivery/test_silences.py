from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.alert_rules import Maintenance
from tests.alert_keeping.site import failed
from tests.delivery.office import Office, office
from tests.samples import at

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from tests.notify.servers import HttpServer


def test_a_silence_puts_the_message_off_until_it_ends(desk: Office, hook: HttpServer) -> None:
    """The reason is noted once; what still fails then is told."""
    desk.report(0, failed(0))
    desk.store.add_silence(
        "shop", {"workflow": ["login"]}, starts_at=at(0), ends_at=at(600), author="ann", reason="x"
    )
    assert desk.deliver(2).put_off == 1
    assert desk.row().reason == "silenced by ann until 2026-03-01 12:10 UTC: x"
    assert desk.next_due_at() == at(600)
    assert desk.deliver(11).sent == 1
    assert [kind for kind, _ in desk.trail()] == ["opened", "not_notified", "notified"]


def test_a_maintenance_window_puts_the_message_off(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """As a silence does."""
    window = Maintenance(name="weekly", cron="0 12 * * *", duration_seconds=3600)
    desk = office(store, settings_for, {"team": hook}, maintenance=(window,))
    desk.report(0, failed(0))
    assert desk.deliver(2).put_off == 1
    assert "weekly" in desk.row().reason
    assert desk.deliver(61).sent == 1
