"""What people do with webhooks, over REST and in the admin alike."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.webhooks import delivering, outbox
from apps.webhooks.models import PING, Delivery, DeliveryStatus, Endpoint
from apps.webhooks.payloads import envelope
from apps.webhooks.sending import send

MOST_ENDPOINTS = 50
TRIED_AGAIN_FOR = timedelta(hours=24)
REFUSALS = {
    "not_given_up": _("It has not been given up yet."),
    "switched_off": _("The webhook is switched off."),
}


class Refused(Exception):
    """``code`` is one of ``REFUSALS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def forgive(endpoint: Endpoint) -> None:
    """Forget why it was switched off: somebody switches it on again. The caller saves it."""
    endpoint.failing_since = endpoint.disabled_at = None
    endpoint.failures, endpoint.disabled_reason = 0, ""


def ping(endpoint: Endpoint) -> Delivery:
    """Send a test message now, also to one that is switched off; the delivery tells how it went."""
    now = timezone.now()
    delivery = Delivery.objects.create(
        tenant=endpoint.tenant,
        endpoint=endpoint,
        message_id=f"msg_{uuid4().hex}",
        event=PING,
        stream=f"ping:{uuid4().hex}",
        payload=envelope(PING, int(now.timestamp() * 1000), {"webhook": endpoint.pk}),
        created_at=now,
        due_at=now,
        give_up_at=now,  # never tried again: whoever pings looks at it now
        leased_until=now + delivering.LEASE,
        attempts=1,
    )
    delivering.settle(delivery, send(delivery))
    return delivery


@transaction.atomic
def redeliver(delivery: Delivery) -> Delivery:
    """Send it once more, with the same ``webhook-id``. Raises ``Refused``."""
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("endpoint").get(pk=delivery.pk)
    if delivery.status == DeliveryStatus.PENDING:
        raise Refused("not_given_up")
    if not delivery.endpoint.active:
        raise Refused("switched_off")
    now = timezone.now()
    delivery.status, delivery.finished_at = DeliveryStatus.PENDING, None
    delivery.due_at, delivery.give_up_at, delivery.attempts = now, now + TRIED_AGAIN_FOR, 0
    delivery.save(update_fields=["status", "finished_at", "due_at", "give_up_at", "attempts"])
    transaction.on_commit(outbox.wake)
    return delivery
