"""The reader's vectors, and the places where Chinese numbers go wrong."""

import datetime

import pytest

from apps.telephony.prompts import reader


@pytest.mark.parametrize(
    ("value", "spoken"),
    [
        (0, "零"), (2, "二"), (10, "十"), (12, "十二"), (20, "二十"), (22, "二十二"), (110, "一百一十"),
        (102, "一百零二"),
        (200, "二百"), (1010, "一千零一十"), (1001, "一千零一"), (2000, "两千"),
        (2222, "两千二百二十二"), (10500, "一万零五百"),
        (22000, "两万两千"), (100000, "十万"), (120000, "十二万"), (100001, "十万零一"), (101000, "十万一千"),
        (100100, "十万零一百"), (20010, "两万零一十"), (100020000, "一亿零两万"), (200000002, "两亿零二"),
        (110000000, "一亿一千万"), (1000000000000, "一兆"), (-5, "负五"),
        (1200000, "一百二十万"), (100_0000_2000, "一百亿零两千"),
    ],
)  # fmt: skip
def test_chinese_numbers(value: int, spoken: str) -> None:
    assert "".join(reader.zh_number(value)) == spoken


@pytest.mark.parametrize(
    ("cents", "spoken"),
    [
        (10005, "一百元零五分"),
        (200, "两元"),
        (1050000, "一万零五百元"),
        (50, "五角"),
        (5, "五分"),
        (1234, "十二元三角四分"),
        (0, "零元"),
    ],
)
def test_chinese_money(cents: int, spoken: str) -> None:
    assert "".join(reader.zh_money(cents)) == spoken


def test_chinese_dates_times_digits() -> None:
    assert "".join(reader.zh_date(datetime.date(2026, 11, 22))) == "二零二六年十一月二十二日星期日"
    assert "".join(reader.zh_time(datetime.time(14, 5))) == "下午两点零五分"
    assert "".join(reader.zh_time(datetime.time(3, 0))) == "凌晨三点整"
    assert "".join(reader.zh_time(datetime.time(12, 30))) == "中午十二点三十分"
    assert "".join(reader.zh_phone("13800138000")) == "幺三八，零零幺三，八零零零"
    assert "".join(reader.zh_ordinal(2)) == "第二"
    assert "".join(reader.zh_duration(7320)) == "两小时两分钟"


def test_english() -> None:
    assert " ".join(reader.en_money(1050000)) == "ten thousand five hundred yuan"
    assert " ".join(reader.en_ordinal(22)) == "twenty-second"
    assert " ".join(reader.en_ordinal(20)) == "twentieth"
    assert " ".join(reader.en_date(datetime.date(2026, 11, 22))) == "Sunday November twenty-second twenty twenty-six"
    assert " ".join(reader.en_time(datetime.time(14, 5))) == "two oh five p.m."
    assert " ".join(reader.en_time(datetime.time(0, 0))) == "twelve a.m."
    assert " ".join(reader.en_duration(61)) == "one minute one second"
    assert " ".join(reader.en_number(100020000)) == "one hundred million twenty thousand"


@pytest.mark.parametrize(
    ("text", "lang", "spoken"),
    [
        ("普通话请按1,英语请按 2", "zh", "普通话请按一,英语请按 二"),
        ("余额10500元", "zh", "余额一万零五百元"),
        ("余额 100.05 元", "zh", "余额 一百元零五分"),
        ("请拨 010-12345678", "zh", "请拨 零幺零，幺二三四，五六七八"),
        ("营业时间 9:00 到 18:00", "zh", "营业时间 上午九点整 到 晚上六点整"),
        ("99:99", "zh", "九十九:九十九"),
        ("2026-13-40", "zh", "两千零二十六-十三-四十"),
        (f"{'9' * 20}.5元", "zh", "九" * 20 + "点五元"),
        ("For English press 2", "en", "For English press two"),
        ("call 10086 now", "en", "call ten thousand eighty-six now"),
        ("on 2026-11-22", "en", "on Sunday November twenty-second twenty twenty-six"),
    ],
)
def test_text(text: str, lang: str, spoken: str) -> None:
    assert reader.spell(text, lang) == spoken


def test_beyond_the_limit() -> None:
    with pytest.raises(ValueError, match="digits"):
        reader.zh_number(10**15)
