"""The command line: what it may say, and the simulator it makes."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.dialplan import Dialplan
from apps.switches.simulator.event_socket import EventSocketServer
from apps.switches.simulator.faults import FaultRates, Faults
from apps.switches.simulator.media import SoundLibrary
from apps.switches.simulator.model import Switch
from apps.switches.simulator.people import Callers, Crowd
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook
from apps.switches.simulator.recording import Recorder
from apps.switches.simulator.voices import Voices


@dataclass(slots=True)
class Simulator:
    model: Switch
    phones: PhoneBook
    callers: Callers
    server: EventSocketServer


def parse(argv: list[str]) -> argparse.Namespace:
    """Options from ``argv``; ``--config FILE`` gives defaults for the rest as a JSON object of option names."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.config is not None:
        try:
            given = json.loads(options.config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            parser.error(f"--config: {error}")
        known = {name.replace("-", "_"): value for name, value in given.items()}
        unknown = sorted(set(known) - set(vars(options)))
        if unknown:
            parser.error(f"--config: no option is called {', '.join(unknown)}")
        parser.set_defaults(**{name: _as_typed(name, value) for name, value in known.items()})
        options = parser.parse_args(argv)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m apps.switches.simulator", description=__doc__)
    add = parser.add_argument
    add("--config", type=Path, help="JSON object with any of the options below")
    add("--host", default="127.0.0.1", help="where Event Socket listens")
    add("--port", type=int, default=8021, help="0 picks a free one; it is printed")
    add("--password", default="ClueCon")
    add("--sockets", default="127.0.0.1:8084", help="where arriving calls go: host:port[|host:port…]")
    add("--control-port", type=int, default=None, help="JSON lines on loopback; 0 picks a free one")
    add("--seed", type=int, default=1)
    add("--callers-per-minute", type=float, default=0.0)
    add("--callers-at-most", type=int, default=200, help="at once")
    add("--callers-limit", type=int, default=None, help="in all")
    add("--did", action="append", default=None, help="a number that callers call; repeat it")
    add("--number", action="append", default=None, help="a number that most callers have; repeat it")
    add("--keys", default="1,2", help="what callers press, one of these each: 1,2,12")
    add("--patience-s", type=_span, default=(30, 180), help="from-to")
    add("--talk-s", type=_span, default=(10, 60), help="from-to")
    add("--agent", action="append", default=None, help="ADDRESS[=auto|told|mixed|never|busy|reject]; repeat it")
    add("--answering", type=Answering, default=Answering.AUTO, help="of agents that say nothing else")
    add("--answer-delay-ms", type=_span, default=(800, 3000), help="from-to")
    add("--agent-talk-s", type=_span, default=None, help="from-to, then the agent hangs up; else the caller does")
    add("--gateway", action="append", default=None, help="a trunk's name on the switch; repeat it")
    add("--domain", default="127.0.0.1", help="of the agents' accounts")
    add("--sounds-dir", type=Path, default=None, help="prompts last as long as their wav files here")
    add("--prompt-ms", type=int, default=3000, help="how long a prompt lasts without --sounds-dir")
    add("--recordings-dir", type=Path, default=None, help="recordings are written here, and nowhere else")
    add("--voices-dir", type=Path, default=None, help="what recordings hold: scripts and wav files, see voices.py")
    add("--faults", type=_rates, default=FaultRates(), help="lost=0.01,late=0.05,gap_death=0.02,drops_per_hour=6 …")
    add("--log-level", default="INFO")
    return parser


def _span(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    span = (int(low), int(high or low))
    if span[0] > span[1]:
        raise ValueError(text)
    return span


def _rates(text: str) -> FaultRates:
    try:
        return FaultRates.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _as_typed(name: str, value: object) -> object:
    """A JSON value as the option has it; text goes through the option's own type."""
    if name in ("did", "number", "agent", "gateway") and isinstance(value, list):
        return [str(item) for item in value]
    return value if isinstance(value, (int, float, type(None))) else str(value)


def build(options: argparse.Namespace, now_ms: int) -> Simulator:
    """``now_ms`` is where virtual time begins."""
    model = Switch(
        seed=options.seed,
        clock=Scheduler(now_ms),
        dialplan=Dialplan(sockets=options.sockets),
        sounds=SoundLibrary(options.sounds_dir, options.prompt_ms),
        faults=Faults(options.faults, options.seed),
        recorder=Recorder(options.recordings_dir, Voices(options.voices_dir)),
        gateways=tuple(options.gateway or ()),
    )
    model.globals["domain"] = model.globals["domain_name"] = options.domain
    phones = PhoneBook(model, options.seed)
    for text in options.agent or ():
        address, _, answering = text.partition("=")
        phones.add(address, _behaviour(options, Answering(answering) if answering else options.answering))
    callers = Callers(model, _crowd(options), options.seed)
    server = EventSocketServer(model, phones, host=options.host, port=options.port, password=options.password)
    return Simulator(model, phones, callers, server)


def _behaviour(options: argparse.Namespace, answering: Answering) -> PhoneBehaviour:
    talk_s = options.agent_talk_s
    return PhoneBehaviour(
        answering=answering,
        delay_ms=options.answer_delay_ms,
        talk_ms=(talk_s[0] * 1000, talk_s[1] * 1000) if talk_s else None,
    )


def _crowd(options: argparse.Namespace) -> Crowd:
    return Crowd(
        per_minute=options.callers_per_minute,
        dids=tuple(options.did or ()),
        numbers=tuple(options.number or ()),
        trunks=tuple(options.gateway or ("",)),
        keys=tuple(key.strip() for key in options.keys.split(",")),
        patience_ms=(options.patience_s[0] * 1000, options.patience_s[1] * 1000),
        talk_ms=(options.talk_s[0] * 1000, options.talk_s[1] * 1000),
        limit=options.callers_limit,
        at_most=options.callers_at_most,
    )
