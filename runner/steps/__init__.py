"""The vocabulary of plans: forward, back and destructive steps are three unions, kept apart by the type checker."""

from runner.steps.back import BackStep
from runner.steps.destructive import DestructiveStep
from runner.steps.forward import AnyForward

__all__ = ["AnyForward", "BackStep", "DestructiveStep"]
