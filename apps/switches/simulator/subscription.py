"""Which events one Event Socket connection wants."""

from __future__ import annotations

from dataclasses import dataclass, field

FORMATS = ("plain", "json", "xml")
MYEVENTS = frozenset(
    {
        "CHANNEL_ANSWER",
        "CHANNEL_APPLICATION",
        "CHANNEL_BRIDGE",
        "CHANNEL_CREATE",
        "CHANNEL_DATA",
        "CHANNEL_DESTROY",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_ORIGINATE",
        "CHANNEL_OUTGOING",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_STATE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UNPARK",
        "CHANNEL_UUID",
        "DTMF",
    }
)


@dataclass(slots=True)
class Subscription:
    format: str = "plain"
    everything: bool = False
    names: set[str] = field(default_factory=set)
    subclasses: set[str] = field(default_factory=set)
    filters: list[tuple[str, str]] = field(default_factory=list)
    own_uuid: str = ""  # myevents: only this channel's
    active: bool = False  # it has asked for events and not said noevents

    def add(self, text: str) -> bool:
        """``[json|plain] A B CUSTOM sub::class …``; everything after CUSTOM is a subclass. False without a keyword."""
        words = text.split()
        if words and words[0].lower() in FORMATS:
            self.format = words.pop(0).lower()
        custom = False
        for word in words:
            if custom:
                self.subclasses.add(word)
            elif word.upper() == "CUSTOM":
                custom = True
            elif word.upper() == "ALL":
                self.everything = True
            else:
                self.names.add(word.upper())
        self.active |= bool(words)
        return bool(words)

    def remove(self, text: str) -> bool:
        words = text.split()
        for word in words:
            if word.upper() == "ALL":
                self.clear()
            self.names.discard(word.upper())
            self.subclasses.discard(word)
        return bool(words)

    def clear(self) -> None:
        self.everything = False
        self.names.clear()
        self.subclasses.clear()

    def my_events(self, uuid: str) -> None:
        self.own_uuid = uuid
        self.active = True
        self.names |= MYEVENTS

    def hears(self, name: str, subclass: str, uuid: str) -> bool:
        """Before anything is rendered: is it worth it?"""
        if self.own_uuid and uuid != self.own_uuid:
            return False
        if self.everything:
            return True
        return subclass in self.subclasses if name == "CUSTOM" else name in self.names

    def passes(self, headers: dict[str, str]) -> bool:
        """In order: one that fits lets the event through, unless a later one that begins with ``-`` fits (ES:328)."""
        passes = not self.filters
        for name, value in self.filters:
            wanted = value.lstrip("+- ")
            if headers.get(name, "").lower() == wanted.lower() and name in headers:
                passes = not value.startswith("-")
                if not passes:
                    break
        return passes

    def filter(self, text: str) -> str:
        words = text.strip().split(" ", 1)
        name, value = words[0], words[1].strip() if len(words) > 1 else ""
        if name.lower() == "delete" and value:
            name, _, value = value.partition(" ")
            self.filters = [
                (n, v) for n, v in self.filters if name.lower() != "all" and (n != name or (value and v != value))
            ]
            return f"+OK filter deleted. [{name}][{value}]"
        if not value:
            return "-ERR invalid syntax"
        self.filters.append((name, value))
        return f"+OK filter added. [{name}]=[{value}]"
