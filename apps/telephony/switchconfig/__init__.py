"""FreeSWITCH's own files, filled from the database: ``rows`` reads, ``spec`` checks, ``render`` writes."""

from apps.telephony.switchconfig.render import render, write
from apps.telephony.switchconfig.rows import switch_spec
from apps.telephony.switchconfig.spec import BadValue, SwitchSpec

__all__ = ["BadValue", "SwitchSpec", "render", "switch_spec", "write"]
