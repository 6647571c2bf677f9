"""Queues, their day, who serves them, and what is asked of those."""

from apps.queues.models.life import ClosingChoice, NoAgentsChoice, OverflowChoice, QueueComfort
from apps.queues.models.queues import Queue, StrategyChoice
from apps.queues.models.serving import QueueMembership, QueueRing, QueueSkill

__all__ = [
    "ClosingChoice", "NoAgentsChoice", "OverflowChoice", "Queue", "QueueComfort", "QueueMembership", "QueueRing",
    "QueueSkill", "StrategyChoice",
]  # fmt: skip
