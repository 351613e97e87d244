"""What a plan says of volumes that are empty or in memory."""

from __future__ import annotations

from runner.engine.memory import MemoryEngine
from runner.goal import Goal
from tests.pure.sweep.stages import NAME, Stage, build, new_home, runner_on


def warned(engine: MemoryEngine) -> set[tuple[str, str]]:
    plan = runner_on(engine, new_home()).plan(NAME, Goal(to="2.0"))
    return {(warning.code, warning.text) for warning in plan.warnings}


def test_a_volume_on_a_disk_with_data_in_it_is_nothing_to_speak_of() -> None:
    assert {code for code, _ in warned(build(Stage("plain")))} & {"empty-volume", "data-in-memory"} == set()


def test_an_empty_volume_is_said_to_stay_empty() -> None:
    engine = build(Stage("plain"))
    engine.world.data["mondata"] = {}
    (text,) = (text for code, text in warned(engine) if code == "empty-volume")
    assert "mondata is empty and stays so" in text
    assert "/data" in text


def test_a_volume_in_memory_is_told() -> None:
    engine = build(Stage("plain"))
    volume = engine.world.volumes["mondata"]
    engine.world.volumes["mondata"] = volume.model_copy(update={"options": {"type": "tmpfs", "device": "tmpfs"}})
    assert [code for code, text in warned(engine) if "mondata is kept in memory" in text] == ["data-in-memory"]
