"""Takes call records into the history: calls that the engine never told of, once each.

A file is looked at when it has settled and the engine's own history is up to date, so that what the engine knows is
there first. Then the call is added if nobody knows it, the leg is noted as taken, and the file goes. A file that is no
record goes to ``refused/`` beside the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from apps.calls.models import Call, Leg, Segment, SegmentKind
from apps.calls.projection import moment, row_id
from apps.core.events import HangupCause, LegRole
from apps.core.facts import CallOutcome, Direction
from apps.operations.cdr.record import BadRecord, LegRecord, read
from apps.operations.models import SwitchRecord, SwitchRecordFate
from apps.telephony.models import Did, Switch

log = structlog.get_logger(__name__)

SETTLE_S = 600.0
REFUSED = "refused"
PATTERN = "*.cdr.json"
CAUSES = {
    "NORMAL_CLEARING": HangupCause.NORMAL, "USER_BUSY": HangupCause.BUSY, "NO_ANSWER": HangupCause.NO_ANSWER,
    "CALL_REJECTED": HangupCause.REJECTED, "ORIGINATOR_CANCEL": HangupCause.CANCELLED,
    "UNALLOCATED_NUMBER": HangupCause.UNALLOCATED, "MEDIA_TIMEOUT": HangupCause.MEDIA_TIMEOUT,
}  # fmt: skip
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Count:
    imported: int = 0
    known: int = 0
    other_legs: int = 0
    refused: int = 0
    waiting: int = 0
    stuck: int = 0  # cannot be read or taken away; the log says why


def sweep(settle_s: float = SETTLE_S, progress: Progress = lambda what, done, total: None) -> Count:
    count = Count()
    for switch in Switch.objects.order_by("name"):
        directory = settings.CDR_DIR / switch.name
        files = sorted(_files(directory)) if directory.is_dir() else []
        for number, path in enumerate(files, 1):
            try:
                _take(switch, directory, path, settle_s, count)
            except OSError as error:  # one file's rights must not keep all behind it out of the history
                log.error("cdr_stuck", file=path.name, detail=str(error))
                count.stuck += 1
            progress(switch.name, number, len(files))
    if count.imported or count.refused:
        log.warning("calls_missed_by_the_engine", imported=count.imported, refused=count.refused)
    return count


def _files(directory: Path) -> Iterator[Path]:
    for path in directory.rglob(PATTERN):
        if path.is_file() and not path.is_symlink() and REFUSED not in path.relative_to(directory).parts:
            yield path


def _take(switch: Switch, directory: Path, path: Path, settle_s: float, count: Count) -> None:
    try:
        if time.time() - path.stat().st_mtime < settle_s:
            count.waiting += 1
            return
        fate = take_record(switch, read(path))
    except FileNotFoundError:
        return  # another run was faster
    except BadRecord as error:
        log.warning("cdr_refused", file=path.name, detail=str(error))
        (directory / REFUSED).mkdir(exist_ok=True)
        path.rename(directory / REFUSED / path.name)
        count.refused += 1
        return
    path.unlink(missing_ok=True)
    count.imported += fate == SwitchRecordFate.IMPORTED
    count.known += fate == SwitchRecordFate.KNOWN
    count.other_legs += fate == SwitchRecordFate.OTHER_LEG


@transaction.atomic
def take_record(switch: Switch, record: LegRecord) -> SwitchRecordFate:
    """Idempotent: the second time it only says what it was."""
    taken = SwitchRecord.objects.filter(pk=record.uuid).first()
    if taken is not None:
        return SwitchRecordFate(taken.fate)
    tenant_id, call_id = _tenant_id(switch, record), record.call
    if not record.inbound or not record.did:
        fate = SwitchRecordFate.OTHER_LEG
    elif known := _known_call(record):
        fate, call_id = SwitchRecordFate.KNOWN, known
    else:
        fate, call_id = SwitchRecordFate.IMPORTED, _add_call(switch, record, tenant_id)
    SwitchRecord.objects.create(
        uuid=record.uuid, tenant_id=tenant_id, switch=switch, call_id=call_id, fate=fate, cause=record.cause,
        started_at=moment(record.started_ms), ended_at=moment(record.ended_ms),
    )  # fmt: skip
    return fate


def _known_call(record: LegRecord) -> str:
    leg = Leg.objects.filter(pk=record.uuid).values_list("call_id", flat=True).first()
    return leg or Call.objects.filter(pk=record.call).values_list("pk", flat=True).first() or ""


def _tenant_id(switch: Switch, record: LegRecord) -> int | None:
    """The engine's word, else the number's owner."""
    given = row_id(record.tenant)
    return given or Did.objects.filter(switch=switch, number=record.did).values_list("tenant_id", flat=True).first()


def _add_call(switch: Switch, record: LegRecord, tenant_id: int | None) -> str:
    cause = CAUSES.get(record.cause, HangupCause.ERROR)
    times = {
        "started_at": moment(record.started_ms),
        "answered_at": moment(record.answered_ms) if record.answered_ms else None,
        "ended_at": moment(record.ended_ms),
    }
    talked_ms = max(0, record.ended_ms - record.bridged_ms) if record.bridged_ms else 0
    call = Call.objects.create(
        id=record.call or f"cdr-{record.uuid}", tenant_id=tenant_id, switch=switch, direction=Direction.INBOUND,
        did=record.did, caller_number=record.caller_number, caller_name=record.caller_name, trunk_name=record.trunk,
        connected_at=moment(record.bridged_ms) if record.bridged_ms else None, outcome=_outcome(record, tenant_id),
        cause=cause, talk_ms=talked_ms, customer_leg_id=record.uuid, segment_count=1 if talked_ms else 0, **times,
    )  # fmt: skip
    Leg.objects.create(
        id=record.uuid, call=call, tenant_id=tenant_id, switch=switch, role=LegRole.CUSTOMER,
        address=record.caller_number, cause=cause, raw_cause=record.cause, **times,
    )  # fmt: skip
    if record.bridged_ms:
        Segment.objects.create(
            call=call, tenant_id=tenant_id, sequence=1, kind=SegmentKind.TRANSFER,
            detail=f"fallback {record.bridged_to}", started_at=moment(record.bridged_ms),
            ended_at=times["ended_at"], duration_ms=talked_ms, outcome="ended",
        )  # fmt: skip
    return call.pk


def _outcome(record: LegRecord, tenant_id: int | None) -> CallOutcome:
    if tenant_id is None:
        return CallOutcome.UNKNOWN_DID
    if record.bridged_ms:
        return CallOutcome.OVERFLOWED  # the fallback number answered
    return CallOutcome.FAILED if record.fell_back else CallOutcome.ABANDONED
