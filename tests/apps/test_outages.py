"""What repeats while something is away is said once, and once that it is back."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from apps.config.outages import Outage


def test_each_outage_is_said_once_and_so_is_its_end() -> None:
    with capture_logs() as said:
        outage = Outage(structlog.get_logger(), "away", "back")
        outage.over()
        for _ in range(2):
            outage.lasts(error="first")
            outage.lasts(error="second")
            outage.over()
            outage.over()
    told = [(line["event"], line["log_level"]) for line in said if line["log_level"] != "debug"]
    assert told == [("away", "warning"), ("back", "info")] * 2
    assert {line["error"] for line in said if line["log_level"] == "debug"} == {"second"}


def test_of_an_end_that_is_told_elsewhere_nothing_is_said() -> None:
    with capture_logs() as said:
        outage = Outage(structlog.get_logger(), "away")
        outage.lasts()
        outage.over()
    assert [line["event"] for line in said] == ["away"]
