"""Every test in here runs on the real, private engine with the lab's images; none of them may leave anything behind."""

from __future__ import annotations

from itertools import chain

import pytest

LONGEST = (
    "test_stacks.py::test_zabbix",
    "test_zabbix.py",
    "test_ci.py",
    "test_refresh.py",
    "test_compose.py",
    "test_rehearse_stacks.py",
)
"""What takes longest, each in one place: the tests of a module may share a set-up."""


@pytest.fixture(scope="session", autouse=True)
def _on_the_private_engine(leftovers: str) -> None:
    assert leftovers


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker begin with its share of the longest, so that none is alone with one of them at the end."""
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [[item for item in items if item.nodeid.startswith(f"tests/engine/{begin}")] for begin in LONGEST]
    others = [item for item in items if not any(item in each for each in long)]
    in_order: list[pytest.Item] = []
    for worker in range(workers):
        share = list(chain(*long[worker::workers]))
        count = (len(items) - len(in_order)) // (workers - worker) - len(share)
        in_order += share + others[: max(count, 0)]
        del others[: max(count, 0)]
    items[:] = in_order
