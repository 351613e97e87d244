"""The engine in memory: the same answers without a daemon, and faults on order; it starts no process."""

from runner.engine.memory.behaviour import Answer, Behaviour
from runner.engine.memory.engine import MemoryEngine
from runner.engine.memory.faults import Fault, RunnerDied

__all__ = ["Answer", "Behaviour", "Fault", "MemoryEngine", "RunnerDied"]
