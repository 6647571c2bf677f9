"""In which encoding a text file was written.

Excel in China saves CSV as GB18030 without saying so, Excel elsewhere as UTF-8 with a mark, "Unicode text" as UTF-16.
The order matters: nearly any bytes decode as GB18030, hardly any text but UTF-8 decodes as UTF-8.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO

import charset_normalizer

from apps.customers.imports.limits import FileRefused

PIECE = 1 << 20
SAMPLE = 256 * 1024
KNOWN = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5", "cp1252", "shift_jis", "euc_kr")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Two bytes of these mean common Chinese characters and punctuation (GB 2312's first level: 0xB0 to 0xD7).
_COMMON_LEAD = range(0xB0, 0xD8)


def detect(file: BinaryIO) -> str:
    """The encoding of the whole of ``file``, which is left at its start. Raises ``FileRefused``."""
    file.seek(0)
    sample = file.read(SAMPLE)
    file.seek(0)
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return _proved(file, name)
    if b"\0" in sample:
        return _proved(file, _wide(sample))
    if decodes(file, "utf-8"):
        return "utf-8"
    if _looks_chinese(sample) and decodes(file, "gb18030"):
        return "gb18030"
    guess = charset_normalizer.from_bytes(sample, cp_isolation=["big5", "cp1252", "shift_jis", "euc_kr", "gb18030"])
    best = guess.best()
    if best is None or not decodes(file, best.encoding):
        raise FileRefused("unknown_encoding")
    return best.encoding


def decodes(file: BinaryIO, encoding: str) -> bool:
    """Whether every byte has a meaning in ``encoding``."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    file.seek(0)
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    finally:
        file.seek(0)
    return True


def _proved(file: BinaryIO, encoding: str) -> str:
    if not encoding or not decodes(file, encoding):
        raise FileRefused("unknown_encoding")
    return encoding


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: commas and line ends have a zero on one side. Anything else with zeros is no text."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if min(even, odd) * 4 > max(even, odd) or max(even, odd) < len(sample) // 20:
        raise FileRefused("not_text")
    return "utf-16-be" if even > odd else "utf-16-le"


def _looks_chinese(sample: bytes) -> bool:
    """Most characters beyond ASCII are of the common ones: in other encodings the same bytes would be rare signs."""
    common = others = index = 0
    while index < len(sample) - 1:
        byte = sample[index]
        if byte < 0x80:
            index += 1
            continue
        if byte in _COMMON_LEAD and sample[index + 1] >= 0xA1:
            common += 1
        else:
            others += 1
        index += 2
    return common > 0 and common >= others * 2
