"""Events, commands, facts and configuration to plain JSON data and back, by their type annotations.

``encode`` gives ``{"type": "CallQueued", ...fields}``; ``decode`` is strict: an unknown type or field, a missing one
or a wrong value raises ``CodecError`` with the path to it. Bytes are the same for equal values.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Union, cast, get_args, get_origin

from apps.core import commands, config, events, facts
from apps.core.agents import model as agent_model
from apps.core.calls import model as call_model
from apps.core.ivr import position

Decoder = Callable[[Any, str], Any]


class CodecError(ValueError):
    """The data does not describe a value of ours; the message says where."""


def _registry() -> dict[str, type]:
    names: dict[str, type] = {}
    for module in (events, commands, facts, config, position, agent_model, call_model):
        for name, cls in vars(module).items():
            if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
                continue
            if not f"{cls.__module__}.".startswith(f"{module.__name__}."):
                continue
            if name in names:
                raise TypeError(f"two types named {name}")
            names[name] = cls
    return names


TYPES: dict[str, type] = _registry()


def encode(value: Any) -> dict[str, Any]:
    """A dataclass of ours as JSON-ready data with its type name."""
    data: dict[str, Any] = {"type": type(value).__name__}
    for name in _names_of(value):
        data[name] = to_plain(getattr(value, name))
    return data


def to_plain(value: Any) -> Any:
    """Any value of our annotations as JSON-ready data. Sets are sorted, so equal values give equal text."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(to_plain(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        return {name: to_plain(getattr(value, name)) for name in _names_of(value)}
    raise TypeError(f"cannot encode {type(value).__name__}")


def decode(data: Any) -> Any:
    """The value that ``encode`` gave ``data`` for. Raises ``CodecError``."""
    if not isinstance(data, dict):
        raise CodecError("not an object")
    name = data.get("type")
    cls = TYPES.get(name) if isinstance(name, str) else None
    if cls is None:
        raise CodecError(f"unknown type {_shown(name)}")
    return from_plain(cls, {key: value for key, value in data.items() if key != "type"}, str(name))


def from_plain(cls: Any, data: Any, path: str = "") -> Any:
    """Data as a value of the annotation ``cls``. Raises ``CodecError``."""
    return _decoder(cls)(data, path or getattr(cls, "__name__", str(cls)))


def _shown(data: Any) -> str:
    """For a message. Others chose it: it may be nested deeper than Python can print, or very long."""
    return f"{data!r:.80}" if isinstance(data, (str, int, float, bool, type(None))) else type(data).__name__


def _names_of(value: Any) -> tuple[str, ...]:
    return _field_names(cast(Hashable, type(value)))


@cache
def _field_names(cls: Any) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(cls))


@cache
def _decoder(annotation: Any) -> Decoder:
    """Built once for each annotation: the type's shape is not inspected again for every value."""
    origin, args = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__supertype__"):
        return _decoder(annotation.__supertype__)
    if annotation is Any:
        return lambda data, path: data
    if annotation in (str, int, bool, float):
        return _scalar(annotation)
    if origin in (Union, types.UnionType):
        return _optional(args)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum(annotation)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _dataclass(annotation)
    if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        return _named_tuple(annotation)
    if origin in (tuple, list, set, frozenset):
        return _sequence(origin, args)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(args)
    raise TypeError(f"no decoder for {annotation!r}")


def _scalar(kind: type) -> Decoder:
    def decode_scalar(data: Any, path: str) -> Any:
        if type(data) is kind or (kind is float and type(data) is int):
            return data
        raise CodecError(f"{path}: expected {kind.__name__}, got {type(data).__name__}")

    return decode_scalar


def _optional(args: tuple[Any, ...]) -> Decoder:
    inner = [item for item in args if item is not type(None)]
    if len(inner) != 1 or len(args) != 2:
        raise TypeError(f"only X | None is supported, got {args!r}")
    decoder = _decoder(inner[0])
    return lambda data, path: None if data is None else decoder(data, path)


def _enum(kind: type[Enum]) -> Decoder:
    def decode_enum(data: Any, path: str) -> Any:
        try:
            return kind(data)
        except ValueError:
            allowed = ", ".join(str(item.value) for item in kind)
            raise CodecError(f"{path}: {_shown(data)} is not one of {allowed}") from None

    return decode_enum


def _sequence(origin: Any, args: tuple[Any, ...]) -> Decoder:
    fixed = origin is tuple and args[-1] is not Ellipsis
    decoders = [_decoder(item) for item in args if item is not Ellipsis]

    def decode_sequence(data: Any, path: str) -> Any:
        if not isinstance(data, (list, tuple)):
            raise CodecError(f"{path}: expected a list")
        if fixed and len(data) != len(decoders):
            raise CodecError(f"{path}: expected {len(decoders)} items, got {len(data)}")
        pick = (lambda index: decoders[index]) if fixed else (lambda index: decoders[0])
        return origin(pick(index)(item, f"{path}[{index}]") for index, item in enumerate(data))

    return decode_sequence


def _named_tuple(cls: Any) -> Decoder:
    """A list on the wire: for small values of which there are many."""
    hints = typing.get_type_hints(cls)
    fields = _sequence(tuple, tuple(hints[name] for name in cls._fields))
    return lambda data, path: cls(*fields(data, path))


def _mapping(args: tuple[Any, ...]) -> Decoder:
    key, value = _decoder(args[0]), _decoder(args[1])

    def decode_mapping(data: Any, path: str) -> Any:
        if not isinstance(data, Mapping):
            raise CodecError(f"{path}: expected an object")
        return {key(name, path): value(item, f"{path}.{name}") for name, item in data.items()}

    return decode_mapping


def _dataclass(cls: type) -> Decoder:
    hints = typing.get_type_hints(cls)
    fields = {item.name: item for item in dataclasses.fields(cls)}
    required = {
        name
        for name, item in fields.items()
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    }
    # Decoders of fields are looked up on first use: dataclasses may refer to each other.
    decoders: dict[str, Decoder] = {}

    def decode_dataclass(data: Any, path: str) -> Any:
        if not isinstance(data, Mapping):
            raise CodecError(f"{path}: expected an object")
        unknown = data.keys() - fields.keys()
        if unknown:
            raise CodecError(f"{path}: unknown field {min(map(str, unknown)):.80}")
        missing = required - data.keys()
        if missing:
            raise CodecError(f"{path}: missing field {min(missing)}")
        values = {}
        for name, item in data.items():
            decoder = decoders.get(name)
            if decoder is None:
                decoder = decoders[name] = _decoder(hints[name])
            values[name] = decoder(item, f"{path}.{name}")
        return cls(**values)

    return decode_dataclass
