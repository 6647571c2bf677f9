"""What follows a talk: the place in line, a transfer, the rest of the flow; or nothing, and the call ends."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.calls import closing, recording, rejoining, talk, transfers
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.events import HangupCause
from apps.core.ids import LegId
from apps.core.ivr import runs
from apps.core.queues import offers, overflow


def over(center: Center, call: Call) -> None:
    """The talk is over. A customer for whom nothing follows need not come back to be let go."""
    talk.unbridged(center, call)
    if not _something_follows(center, call):
        _goodbye(center, call)


def far_leg_gone(center: Center, call: Call, leg: LegId) -> None:
    """The agent's or external leg ended while it had to do with the customer's."""
    if call.bridge is None or call.bridge.leg != leg:
        return
    if call.state is CallState.TALKING:
        over(center, call)
    elif call.state is CallState.CONNECTING:
        # A leg that dies in the gap leaves the customer stuck on the switch: fetch it at once (freeswitch.md 4).
        talk.bridge_lost(center, call, "the far leg hung up before the bridge")
        talk.reclaim(center, call)


def go_on(center: Center, call: Call) -> None:
    """For a customer leg that came back."""
    if call.rejoin is not None:
        rejoining.customer_came(center, call)
    elif not _something_follows(center, call):
        _goodbye(center, call)
    else:
        _go_on(center, call)
        recording.stop(center, call)


def _something_follows(center: Center, call: Call) -> bool:
    parts = (call.rejoin, call.wait, call.transfer)
    return any(part is not None for part in parts) or call.bridge_lost or runs.goes_on_after_talk(center, call)


def _go_on(center: Center, call: Call) -> None:
    if call.wait is not None:
        if center.queue_config(call.wait.queue) is None:
            overflow.queue_gone(center, call)
        else:
            offers.back_in_line(center, call)
    elif call.bridge_lost and call.served:
        transfers.failed(center, call, "the two were not brought together")
    elif call.bridge_lost:
        transfers.dial_failed(center, call, HangupCause.ERROR)
    elif call.transfer is not None:
        transfers.carry_out(center, call)
    else:
        runs.resume_after_talk(center, call)


def _goodbye(center: Center, call: Call) -> None:
    closing.close(center, call, f.CallOutcome.SERVED, cause=HangupCause.NORMAL)
