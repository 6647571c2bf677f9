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


def call_words() -> dict[str, str]:
    return {
        "arrived": pgettext("call state", "Arriving"),
        "ivr": pgettext("call state", "In the menu"),
        "waiting": pgettext("call state", "Waiting"),
        "dialing": pgettext("call state", "Dialing out"),
        "connecting": pgettext("call state", "Connecting"),
        "talking": pgettext("call state", "Talking"),
        "held": pgettext("call state", "On hold"),
        "returning": pgettext("call state", "Coming back"),
        "closing": pgettext("call state", "Ending"),
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


def alarm_words() -> dict[str, str]:
    return {
        "unknown_did": _("Calls to a number that leads nowhere: give it a flow"),
        "queue_unserved": _("Callers wait and nobody is signed in: staff this queue"),
        "recording_failed": _("A recording failed: check the switch's disk"),
        "device_invalid": _("An agent's phone cannot be rung: check its account"),
        "disk_full": _("The engine's disk is full: free space now"),
        "journal_failed": _("The engine cannot write its journal: check its disk now"),
        "flow_missing": _("A number leads to a menu that does not exist: choose another"),
        "queue_missing": _("A menu leads to a queue that does not exist: correct the menu"),
        "prompt_failed": _("A prompt could not be played: render and place it again"),
        "switch_down": _("A switch is out of reach: calls go on, new ones take the fallback"),
        "trunk_down": _("A trunk is down: call the carrier"),
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


def wall_words() -> dict[str, object]:
    return {
        "states": state_words(),
        "reasons": reason_words(),
        "calls": call_words(),
        "alarms": alarm_words(),
        "live": _("Live"),
        "network_lost": _("Network lost; reconnecting"),
        "engine_away": _("Engine unreachable; audio continues"),
        "data_old": _("Data {n} s old"),
        "signed_off": _("This page's session has ended. Sign in again."),
        "not_permitted": _("Not permitted"),
        "nobody": _("nobody signed in"),
        "number_hidden": _("number withheld"),
        "recording": _("recording"),
        "up": _("up"),
        "down": _("down"),
        "unknown": _("not known"),
        "switch_name": _("Switch {id}"),
        "checked": _("last check {time}"),
    }
