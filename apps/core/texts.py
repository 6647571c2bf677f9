"""Texts that others send us: the shape of numbers and tones, and how much of everything else is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
"""What a switch may be asked to dial; anything else could be dial string syntax."""
TONES = re.compile(r"[0-9*#A-D]{1,32}")

LONGEST_REASON = 64
"""Of a pause reason, of the code of a disposition."""
LONGEST_NOTE = 4_000
LONGEST_HANDOVER = 1_000
LONGEST_RAW = 64
"""Of a switch's own word for why a leg ended."""
LONGEST_DETAIL = 200
"""Of what a switch says of a trunk or a recording."""
LONGEST_NAME = 128
LONGEST_KEY = 40
"""Of an id that the asker chose: a page's, a customer's, the name of something attached."""
MOST_ATTACHED = 20
LONGEST_ATTACHED = 200


def attached(texts: Mapping[str, str]) -> dict[str, str]:
    """Attached data as far as it is kept."""
    return {key[:LONGEST_KEY]: texts[key][:LONGEST_ATTACHED] for key in list(texts)[:MOST_ATTACHED]}
