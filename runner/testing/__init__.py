"""The pytest plugin: an upgraded copy of a running container for people's own tests; it never changes the container.

``upgraded`` is the copy named by ``--refloat-target`` and ``--refloat-to`` (or ``--refloat-image``), once a session;
``rehearsed("prom", to="3.5.3")`` makes one within a test, and `upgraded_copy` is a context manager for fixtures of
one's own. Each gives a testcontainers ``DockerContainer`` with the result of the rehearsal in ``.rehearsal``. Needs
``pip install 'refloat[testing]'``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from runner.errors import RefloatError, UsageError

if TYPE_CHECKING:  # pytest loads every plugin that is installed, in all projects: this one must cost nothing there
    from runner.testing.copy import UpgradedCopy

__all__ = ["upgraded_copy"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what names the upgrade that ``upgraded`` rehearses."""
    group = parser.getgroup("refloat", "rehearsed upgrades (refloat)")
    group.addoption("--refloat-target", metavar="T", help="the container that `upgraded` is a copy of")
    group.addoption("--refloat-to", metavar="VERSION", default="", help="the version it is upgraded to")
    group.addoption("--refloat-image", metavar="REF", default="", help="the image it is upgraded to")
    group.addoption("--refloat-from", metavar="RUN|ARCHIVE", default="",
                    help="play on this run's snapshot, or on an archive; the container is not even paused")  # fmt: skip


@pytest.fixture(scope="session")
def upgraded(request: pytest.FixtureRequest) -> Iterator[UpgradedCopy]:
    """The upgraded copy of ``--refloat-target``; its way back is rehearsed at the end of the session."""
    option = request.config.getoption
    target = option("--refloat-target")
    if not target:
        pytest.fail("`upgraded` needs --refloat-target T and --refloat-to VERSION (or --refloat-image REF).",
                    pytrace=False)  # fmt: skip
    with _told(), upgraded_copy(target, to=option("--refloat-to"), image=option("--refloat-image"),
                                snapshot=option("--refloat-from")) as copy:  # fmt: skip
        yield copy


@pytest.fixture
def rehearsed() -> Iterator[Callable[..., UpgradedCopy]]:
    """What makes an upgraded copy that lives as long as the test; it takes what `upgraded_copy` takes."""
    with ExitStack() as copies, _told():

        def make(target: str, **how: str | bool) -> UpgradedCopy:
            with _told():
                return copies.enter_context(upgraded_copy(target, **how))  # type: ignore[arg-type]  # checked there

        yield make
        copies.close()


@contextmanager
def upgraded_copy(target: str, *, to: str = "", image: str = "", snapshot: str = "",
                  way_back: bool = True) -> Iterator[UpgradedCopy]:  # fmt: skip
    """Rehearse the upgrade of a container and give the upgraded copy for as long as the block lasts.

    Of a stack, or a compose project, it is the copy of the first member that gets a new version; ``members`` has all.

    ``snapshot`` is the run whose snapshot is played on instead of a new one, or an archive as ``refloat restore`` takes
    it (a repository's password comes from the environment); ``way_back=False`` leaves out the rehearsed rollback at the
    end of the block. RehearsalFailed (``.what`` is the report) where the upgrade or its way
    back fails; Refused, Busy, EngineUnreachable as the command line has them; UsageError without testcontainers.
    """
    try:
        from runner.testing.stage import rehearsed_copy
    except ModuleNotFoundError as missing:
        what = f"The upgraded copy is a testcontainers object, and {missing.name} is not installed."
        raise UsageError("no-testcontainers", what, then="pip install 'refloat[testing]'") from missing
    with rehearsed_copy(target, to=to, image=image, snapshot=snapshot, way_back=way_back) as copy:
        yield copy


@contextmanager
def _told() -> Iterator[None]:
    """A failure of the rehearsal is told in its own words, without a traceback through refloat."""
    try:
        yield
    except RefloatError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None  # as pytest.fail(), but told once
