"""Which numbers may be dialled, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.barring import allowed, is_one_of
from apps.core.config import DialPolicy, DialRule, Overflow, OverflowKind, QueueConfig, TenantConfig
from tests.core.scene import TENANT, Scene, center_config

RULES = (
    DialRule(prefix="110", whole=True),
    DialRule(prefix="168"),
    DialRule(prefix="1688", allow=True),
    DialRule(prefix="+852", allow=True),
    DialRule(prefix="+85290"),
)
POLICY = DialPolicy(rules=RULES)


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("13800138000", True),
        ("01012345678", True),
        ("+8613800138000", True),
        ("008613800138000", True),
        ("1101", True),  # only the number itself is barred
        ("110", False),
        ("+86110", False),
        ("0086110", False),
        ("16812345", False),
        ("+8616812345", False),
        ("008616812345", False),
        ("16881234", True),  # the longer rule decides
        ("+85221234567", True),
        ("0085221234567", True),
        ("+85290123456", False),
        ("+12125551234", False),
        ("0012125551234", False),
        ("*72139", False),  # turns on a diversion at the exchange
        ("#21#", False),
    ],
)
def test_a_number_by_all_its_names(number: str, may: bool) -> None:
    assert allowed(POLICY, number) is may


def test_a_tenant_may_be_let_out_into_the_world_or_not_even_into_the_country() -> None:
    assert allowed(DialPolicy(international=True), "+12125551234")
    assert not allowed(DialPolicy(national=False), "13800138000")
    assert allowed(DialPolicy(national=False, rules=(DialRule(prefix="4001", allow=True),)), "4001234")


@given(st.from_regex(r"\A[1-9][0-9]{2,9}\Z"), st.from_regex(r"\A[1-9][0-9]{1,4}\Z"))
def test_a_denial_cannot_be_slipped_by_with_a_country_code(number: str, prefix: str) -> None:
    policy = DialPolicy(rules=(DialRule(prefix=prefix),))
    if not allowed(policy, number):
        assert not any(allowed(policy, f"{home}{number}") for home in ("+86", "0086"))


def barred_tenant() -> dict[str, TenantConfig]:
    policy = DialPolicy(rules=(DialRule(prefix="1391"),))
    return {TENANT: TenantConfig(id=TENANT, name="Y", apology_sounds=("sorry.wav",), dialing=policy)}


def test_a_transfer_to_a_barred_number_is_refused() -> None:
    scene = Scene(center_config(tenants=barred_tenant()))
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.NUMBER, target="13912345678")
    assert scene.just(f.RequestRefused)[0].code == "barred" and call.state == "talking"


def test_overflow_to_a_barred_number_raises_an_alarm_and_says_sorry() -> None:
    sales = QueueConfig(
        id="sales", tenant=TENANT, name="Sales", max_wait_ms=1_000,
        overflow=Overflow(kind=OverflowKind.NUMBER, target="13912345678"),
    )  # fmt: skip
    config = center_config(tenants=barred_tenant(), queues={"sales": sales})
    scene = Scene(config)
    call = scene.to_queue()
    scene.wait(2)
    assert f"number_barred/{TENANT}" in scene.state.alarms and call.outcome is f.CallOutcome.OVERFLOWED


def test_a_number_is_known_again_however_the_trunk_wrote_it() -> None:
    those = frozenset({"+8613800138000", "+442079460000"})
    for written in ("13800138000", "013800138000", "+8613800138000", "008613800138000", "00442079460000"):
        assert is_one_of(DialPolicy(), written, those), written
    for written in ("13800138001", "442079460000", "", "8000", "anonymous"):
        assert not is_one_of(DialPolicy(), written, those), written
    assert not is_one_of(DialPolicy(), "13800138000", frozenset())
