"""A call placed for a customer is that customer's."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.calls.services import record_facts
from apps.customers.models import CallLink
from apps.customers.services import create_customer, link_call, remove
from tests.apps.facts_of_calls import arrival, stored


def test_a_call_for_a_customer_is_linked_and_a_persons_choice_stays(centre: dict[str, Any]) -> None:
    tenant, wang, li = str(centre["a"].pk), centre["wang"], centre["li"]
    foreign = create_customer(centre["b"].pk, {"name": "x"}, [])
    gone = create_customer(centre["a"].pk, {"name": "y"}, [])
    remove(gone)
    link_call(li, "chosen", User.objects.get(username="agent-a"))
    wanted = {
        "for-wang": str(wang.pk), "chosen": str(wang.pk), "foreign": str(foreign.pk), "gone": str(gone.pk),
        "own-id": "crm-77", "huge": "9" * 40, "nobody": "",
    }  # fmt: skip
    facts = [fact for call, customer in wanted.items() for fact in arrival(call, tenant=tenant, customer=customer)]
    for _ in range(2):  # told again after a crash
        record_facts(stored(facts))
    links = dict(CallLink.objects.values_list("call_id", "customer_id"))
    assert links == {"for-wang": wang.pk, "chosen": li.pk}
