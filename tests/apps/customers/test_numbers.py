"""What a telephone number can mean, in every form in which people and trunks write it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.customers.numbers import Plan, Reading, read, shown, spellings

SHANGHAI = Plan(area_code="21")
MOBILE, LANDLINE, HOTLINE = "+8613955501100", "+862155550100", "+864008005566"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13955501100", MOBILE),
        ("+8613955501100", MOBILE),
        ("+86 139-5550-1100", MOBILE),
        ("8613955501100", MOBILE),
        ("008613955501100", MOBILE),
        ("+008613955501100", MOBILE),  # a trunk that adds a plus to whatever it has
        ("013955501100", MOBILE),  # long distance prefix before a mobile
        ("9013955501100", MOBILE),  # outside line, then the above
        ("1395550\t1100", MOBILE),
        ("139 5550 1100", MOBILE),  # full-width digits
        ("sip:013955501100@10.0.0.1:5060;user=phone", MOBILE),
        ("tel:+86-139-5550-1100", MOBILE),
        ("02155550100", LANDLINE),
        ("2155550100", LANDLINE),  # a carrier that drops the 0
        ("+86 (0)21 5555 0100", LANDLINE),
        ("(021)5555-0100", LANDLINE),
        ("902155550100", LANDLINE),
        ("55550100", LANDLINE),  # local, completed by the plan
        ("955550100", LANDLINE),
        ("4008005566", HOTLINE),
        ("400-800-5566", HOTLINE),
        ("04008005566", HOTLINE),
        ("10086", "10086"),
        ("95588", "95588"),
        ("8001", "8001"),  # a colleague
        ("+16502530000", "+16502530000"),
        ("0016502530000", "+16502530000"),
        ("6561005501", "+6561005501"),  # a country code without its plus
        ("+85255501101", "+85255501101"),  # possible, though no table knows it
    ],
)
def test_a_number_is_read_in_any_form(text: str, number: str) -> None:
    assert read(text, SHANGHAI).number == number


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0013855501100", {"+13855501100", "+8613855501100"}),  # North America, or 0 0 before a mobile
        ("913800138000", {"+8613800138000", "+913800138000"}),  # outside line, or India
        ("85255501101", {"+8685255501101", "+85255501101"}),
    ],
)
def test_what_can_mean_two_numbers_says_so(text: str, numbers: set[str]) -> None:
    assert set(read(text, SHANGHAI).numbers) == numbers


def test_a_chinese_mobile_is_not_taken_for_a_north_american_number() -> None:
    assert read("13855501100", SHANGHAI).numbers == ("+8613855501100",)


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ("021-55550100转8012", "8012"),
        ("021-55550100 分机 8012", "8012"),
        ("021-55550100 ext. 8012", "8012"),
        ("02155550100x8012", "8012"),
        ("02155550100#8012", "8012"),
        ("02155550100,,8012#", "8012"),
        ("tel:+862155550100;ext=8012", "8012"),
        ("02155550100", ""),
    ],
)
def test_an_extension_is_kept_apart(text: str, extension: str) -> None:
    assert read(text, SHANGHAI) == Reading((LANDLINE,), extension)


@pytest.mark.parametrize("text", ["", " ", "Anonymous", "sip:anonymous@anonymous.invalid", "匿名", "0", "+"])
def test_a_withheld_number_is_known_as_such(text: str) -> None:
    assert read(text, SHANGHAI) == Reading(withheld=True)


@pytest.mark.parametrize("text", ["abc", "12", "=1+1", "'; drop table", "138001380001380013800", "1380013800x", "十三"])
def test_what_is_no_number_has_no_reading(text: str) -> None:
    assert read(text, SHANGHAI) == Reading()


def test_a_local_number_needs_an_area_code() -> None:
    assert LANDLINE not in read("55550100", Plan()).numbers


def test_elsewhere_numbers_are_read_as_people_write_them_there() -> None:
    london = Plan(region="GB", outside_prefixes=("9",))
    assert read("020 7946 0018", london).number == "+442079460018"
    assert read("902079460018", london).number == "+442079460018"


@given(st.text(max_size=80))
@example("+" + "9" * 70)
@example("\ud800")
def test_any_text_is_read_without_an_error(text: str) -> None:
    reading = read(text, SHANGHAI)
    assert all(read(number, SHANGHAI).number == number for number in reading.numbers), "a stored number means itself"


@pytest.mark.parametrize(
    "number", [MOBILE, LANDLINE, HOTLINE, "+8675512345678", "+16502530000", "+6561005501", "95588"]
)
def test_every_spelling_of_a_number_is_read_as_that_number(number: str) -> None:
    found = spellings(number, SHANGHAI)
    assert number in found
    assert all(number in read(text, SHANGHAI).numbers for text in found)


def test_history_is_searched_for_all_that_trunks_send() -> None:
    sent = {"+8613955501100", "8613955501100", "008613955501100", "13955501100", "013955501100", "9013955501100"}
    assert sent <= set(spellings(MOBILE, SHANGHAI))
    assert {"55550100", "02155550100", "2155550100"} <= set(spellings(LANDLINE, SHANGHAI))


def test_numbers_are_shown_as_people_read_them() -> None:
    assert shown(MOBILE) == "139 5550 1100"
    assert shown(LANDLINE) == "021 5555 0100"
    assert shown("+16502530000") == "+1 650-253-0000"
    assert shown("10086") == "10086"
