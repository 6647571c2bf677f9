"""Takes out of the delivery log whose calls it told of. That something was sent, when and with what answer, stays."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection, transaction

from apps.calls.anonymity import ANONYMOUS, pieces


@transaction.atomic
def forget_calls(tenant_id: int, call_ids: Sequence[str]) -> None:
    """Also of messages that are still to be sent: they go out without it."""
    with connection.cursor() as cursor:
        for ids in pieces(call_ids):
            streams = [f"call:{call_id}" for call_id in ids]
            cursor.execute(
                "UPDATE webhooks_attempt SET request_excerpt = '', response_excerpt = '' WHERE delivery_id IN"
                " (SELECT id FROM webhooks_delivery WHERE tenant_id = %s AND stream = ANY(%s))",
                [tenant_id, streams],
            )
            cursor.execute(
                "UPDATE webhooks_delivery SET payload = jsonb_set(payload, '{data}', payload->'data'"
                " || jsonb_build_object('call', payload->'data'->'call' || %s::jsonb)"
                " || CASE WHEN payload->'data' ? 'note' THEN '{\"note\": \"\"}'::jsonb ELSE '{}'::jsonb END)"
                " WHERE tenant_id = %s AND stream = ANY(%s) AND payload->'data' ? 'call'",
                [json.dumps({"caller_number": ANONYMOUS, "caller_name": ""}), tenant_id, streams],
            )
