"""Switches, the lines into them, the numbers people call and what they hear."""

from apps.telephony.models.calendars import Calendar, CalendarDay, CalendarSpan, Override
from apps.telephony.models.dialing import DialPolicy, DialRule, DialRuleKind
from apps.telephony.models.lines import Did, SipAccount, SipAccountKind, Trunk
from apps.telephony.models.sounds import MusicClass, Prompt
from apps.telephony.models.switches import ConfigVersion, Switch, SwitchKind

__all__ = [
    "Calendar",
    "CalendarDay",
    "CalendarSpan",
    "ConfigVersion",
    "DialPolicy",
    "DialRule",
    "DialRuleKind",
    "Did",
    "MusicClass",
    "Override",
    "Prompt",
    "SipAccount",
    "SipAccountKind",
    "Switch",
    "SwitchKind",
    "Trunk",
]
