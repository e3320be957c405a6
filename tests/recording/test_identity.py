from __future__ import annotations

import random
import time
import uuid

from pytest_workflow_monitor.recording.identity import new_id


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    """RFC 9562: 48 bits of milliseconds, version 7, the variant, random bits."""
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= after


def test_ids_differ_although_tests_reseed_random() -> None:
    """A suite that seeds `random` for every test gets different ids all the same."""
    made = set()
    for _ in range(1000):
        random.seed(1)
        made.add(new_id())
    assert len(made) == 1000
    assert all(len(each) == 36 for each in made)
