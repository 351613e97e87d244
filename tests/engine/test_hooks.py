"""Hooks on the real engine: in the container, beside it and on the host; in an upgrade and in a rehearsal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import Bench, bench_on

CONFIG = """\
targets:
  db:
    container: {name}
    goal: 2.0
    dwell_s: 1
    vault: {name}-vault
    hooks:
      - {{when: before-stop, where: container,
         argv: [sh, -c, 'echo "$REFLOAT_POINT $REFLOAT_NEW_VERSION" >/data/told']}}
      - {{when: before-stop, where: tools, argv: [sh, -c, 'getent hosts {name} >/dev/null && id -u && echo "$PAGER"'],
         env: [PAGER]}}
      - {{when: before-stop, where: host, argv: [./on-host, out], undo: [./on-host, in]}}
      - {{when: before-start, where: tools, argv: ["true"]}}
      - {{when: after-verdict, where: container, argv: [cat, /data/told]}}
      - {{when: after-rollback, where: host, argv: [./on-host, back]}}
"""
ON_HOST = """\
#!/bin/sh
echo "$1 $REFLOAT_TARGET $REFLOAT_VERDICT" >>log
test ! -e busy || { echo the auditors are in; exit 75; }
"""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        bench.docker("network", "create", f"{bench.name}-net")
        bench.target_with_data("refloat-lab/misbehave:1.0", "--network", f"{bench.name}-net")
        config = tmp_path / "refloat.yaml"
        config.write_text(CONFIG.format(name=bench.name))
        (tmp_path / "on-host").write_text(ON_HOST)
        (tmp_path / "on-host").chmod(0o755)
        monkeypatch.setenv("REFLOAT_CONFIG", str(config))
        monkeypatch.setenv("PAGER", "s3cret-pager")
        yield bench


def test_hooks_are_called_where_they_belong_and_their_words_are_kept(bench: Bench, tmp_path: Path) -> None:
    rehearsed = bench.refloat("rehearse", "db", "--json")
    assert rehearsed.status == 0, rehearsed.out + rehearsed.err
    assert "its hook “./on-host” on the host" in json.loads(rehearsed.out)["taken"]
    assert not (tmp_path / "log").exists()
    assert "told" not in bench.exec("ls", "/data")

    (tmp_path / "busy").touch()
    later = bench.refloat("apply", "db", "--json")
    told = json.loads(later.out)
    assert (later.status, told["code"], told["log"], told["downtime_s"]) == (
        75,
        "not-now",
        ["the auditors are in"],
        None,
    )
    (tmp_path / "busy").unlink()
    (tmp_path / "log").unlink()

    done = bench.refloat("apply", "db")
    assert done.status == 0, done.out + done.err
    journal = "".join(path.read_text() for path in (bench.home / "runs").glob("*/journal.jsonl"))
    assert '"said":["65534","***"]' in journal
    assert '"said":["before-stop 2.0"]' in journal
    assert "s3cret" not in journal + done.out + done.err

    failed = bench.refloat("apply", "db", "--to", "crash")
    assert failed.status == 5, failed.out + failed.err
    name = bench.name
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == [f"out {name} ", f"out {name} ", f"back {name} rolled-back", f"in {name} rolled-back"]
    assert [each for each in bench.left_of_runs() if "held" not in each] == []
