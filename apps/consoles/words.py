"""The words that scripts show, in the reader's language. Templates translate their own."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def state_words() -> dict[str, str]:
    """Agent states, named as console.md section 2 names them."""
    return {
        "LOGGED_OUT": pgettext("agent state", "Signed out"),
        "PAUSED": pgettext("agent state", "Paused"),
        "READY": pgettext("agent state", "Ready"),
        "OFFERED": pgettext("agent state", "Ringing"),
        "DIALING": pgettext("agent state", "Dialing"),
        "TALKING": pgettext("agent state", "Talking"),
        "HOLDING": pgettext("agent state", "On hold"),
        "CONSULTING": pgettext("agent state", "Consulting"),
        "CONFERENCING": pgettext("agent state", "Conference"),
        "WRAP_UP": pgettext("agent state", "Wrap-up"),
        "NOT_RESPONDING": pgettext("agent state", "Not responding"),
        "DISCONNECTED": pgettext("agent state", "Disconnected"),
    }


def reason_words() -> dict[str, str]:
    """Reasons that the engine gives by itself; the others are the tenant's pause reasons."""
    return {
        "login": pgettext("pause reason", "just signed in"),
        "no_answer": pgettext("pause reason", "did not answer"),
        "forced": pgettext("pause reason", "by a supervisor"),
        "declined": pgettext("pause reason", "call declined"),
        "lost": pgettext("pause reason", "connection lost"),
        "device": pgettext("pause reason", "phone cannot be reached"),
    }


def refusal_words() -> dict[str, str]:
    """What the engine or the web answers to a command it does not do, by code."""
    return {
        "stale": _("Call changed; not done"),
        "wrong_state": _("Not possible now"),
        "not_found": _("That no longer exists"),
        "not_permitted": _("Not permitted"),
        "limit": _("No more extensions: finish the wrap-up"),
        "no_device": _("No phone is set up for you: ask your administrator"),
        "bad_target": _("That cannot be transferred to"),
        "bad_disposition": _("Choose a disposition"),
        "malformed": _("Not understood; reload the page"),
        "rejected": _("Not understood; reload the page"),
        "engine_unreachable": _("Engine unreachable; audio continues"),
        "other": _("Not done: {reason}"),
    }


def agent_words() -> dict[str, object]:
    return {
        "states": state_words(),
        "reasons": reason_words(),
        "refusals": refusal_words(),
        "unconfirmed": _("Unconfirmed; checking"),
        "live": _("Live"),
        "network_lost": _("Network lost; reconnecting"),
        "engine_away": _("Engine unreachable; audio continues"),
        "data_old": _("Data {n} s old"),
        "signed_off": _("This page's session has ended. Sign in again."),
        "not_permitted": _("This account is not an agent."),
        "missed": _("Call missed; calls stopped"),
        "caller_hung_up": _("Caller hung up"),
        "wrap_left": _("{n} s left; F4 extends"),
        "answer": _("Answer"),
        "pick_up": _("Pick up the phone"),
        "or_pick_up": _("or pick up the phone"),
        "offer": _("Call from {number}, queue {queue}"),
        "number_hidden": _("number withheld"),
        "next": _("then {state}"),
        "no_call": _("No call"),
        "ready_for_calls": _("Ready. The next call comes by itself."),
        "paused_hint": _("Paused: no calls come. Press Ready when you are."),
        "signed_out_hint": _("Signed out. Sign in to take calls."),
        "missed_hint": _("You did not answer. Press Ready to go on."),
        "disconnected_hint": _("The engine lost this console. It comes back by itself."),
        "phone_ok": _("Phone {address} registered"),
        "phone_away": _("Phone {address} not registered: calls cannot reach you"),
        "phone_unknown": _("Phone {address}"),
        "phone_none": _("No phone is set up for you: ask your administrator"),
        "switch_down": _("Phone service lost"),
        "choose_disposition": _("Choose a disposition"),
        "no_target": _("Nothing found"),
        "dial_number": _("Dial {number}"),
        "queue": _("queue"),
        "saved": _("Saved"),
        "waiting": _("{n} waiting"),
    }
