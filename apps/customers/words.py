"""Why something was refused, in the reader's language. Codes are stable; words are for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def refusal(code: str) -> str:
    """Of a change to a customer (``services.Refused``)."""
    return {
        "name_missing": _("A customer needs a name."),
        "other_tenant": _("This belongs to another tenant."),
        "external_id_taken": _("Another customer has this external id."),
        "too_many_numbers": _("Too many numbers for one customer."),
        "too_many_tags": _("Too many tags for one customer."),
        "gone": _("This customer was removed meanwhile."),
        "cannot_merge": _("These two cannot be merged."),
        "cannot_restore": _("This customer cannot be brought back."),
        "empty": _("Write something first."),
        "call_live": _("They are on a call just now: erase them when it is over."),
    }.get(code, code)


def file_refusal(code: str, detail: Mapping[str, Any]) -> str:
    """Of a whole file (``limits.FileRefused``)."""
    text = {
        "empty": _("The file is empty."),
        "no_rows": _("The file has headings but no rows."),
        "old_excel": _(
            "This is an old Excel file, or one with a password. Save it as .xlsx or CSV without a password."
        ),
        "not_text": _("This is neither CSV nor Excel. Choose a .csv or .xlsx file."),
        "broken_xlsx": _("This Excel file is damaged. Open it in Excel and save it again."),
        "broken_csv": _("The file breaks off in row %(row)s: a quotation mark is not closed."),
        "unknown_encoding": _("The characters of this file cannot be read. Save it as CSV UTF-8."),
        "too_large": _("The file is too large: at most %(most_mb)s MB."),
        "too_many_files": _("%(most)s files wait to be imported already: start or discard some of them first."),
        "too_large_unpacked": _("Unpacked, this Excel file is too large. Save it as CSV, or in parts."),
        "too_many_rows": _("Too many rows: at most %(most)s. Split the file."),
        "too_many_columns": _("Too many columns in row %(row)s: at most %(most)s."),
        "bad_mapping": _("The chosen columns do not fit the file."),
        "field_twice": _("A field was chosen for two columns; only numbers may come in several."),
        "no_key_column": _("Choose a column with a number or an external id: without one nobody can be recognised."),
        "not_draft": _("This import has been started already."),
    }.get(code, code)
    return text % {"row": "?", "most": "?", "most_mb": "?", **detail}


def row_fault(code: str, detail: Mapping[str, Any]) -> str:
    """Of one row or cell (``ImportFault``)."""
    text = {
        "bad_number": _("Not a telephone number."),
        "bad_email": _("Not an e-mail address."),
        "unknown_level": _("Unknown level: use standard, silver, gold or VIP."),
        "unknown_language": _("Unknown language: use zh or en."),
        "too_long": _("Too long: at most %(most)s characters."),
        "tag_too_long": _("A tag is too long: at most 40 characters."),
        "undecodable": _("Holds characters that could not be read."),
        "no_key": _("Has neither a number nor an external id."),
        "name_missing": _("Has no name, and nobody on file has this number."),
        "ambiguous": _("%(count)s customers have this number: add a name or an external id."),
        "too_many_numbers": _("Too many numbers: at most %(most)s."),
    }.get(code, code)
    return text % {"most": "?", "count": "?", **detail}
