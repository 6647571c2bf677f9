"""Which column of a file is which field, guessed from its heading in Chinese or English."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from openpyxl.utils import get_column_letter

from apps.customers.numbers import Plan, read

# In the order in which the page offers them. Numbers may come in several columns, everything else in one.
FIELDS: dict[str, Promise] = {
    "name": pgettext_lazy("person", "name"),
    "company": _("company"),
    "number": _("number"),
    "mobile": _("mobile number"),
    "work": _("work number"),
    "home": _("home number"),
    "external_id": _("external id"),
    "email": _("e-mail"),
    "address": _("address"),
    "level": _("level"),
    "language": _("language"),
    "tags": _("tags"),
    "remark": _("remark"),
}
NUMBER_FIELDS = ("number", "mobile", "work", "home")

_HEADINGS: dict[str, tuple[str, str]] = {
    "name": (
        "name fullname customer customername contact contactname",
        "姓名 名字 名称 客户 客户名 客户姓名 客户名称 联系人 联系人姓名 称呼",
    ),
    "company": (
        "company companyname organisation organization account",
        "公司 公司名 公司名称 单位 单位名称 企业 企业名称",
    ),
    "mobile": ("mobile mobilephone mobilenumber cell cellphone", "手机 手机号 手机号码 移动电话"),
    "work": ("workphone officephone businessphone work office", "办公电话 公司电话 单位电话 座机 固话 固定电话"),
    "home": ("homephone home", "家庭电话 住宅电话 家里电话"),
    "number": ("phone phonenumber telephone tel number", "电话 电话号码 联系电话 号码 联系方式 主叫号码"),
    "external_id": (
        "externalid id customerid customerno crmid accountnumber",
        "编号 客户编号 客户号 外部编号 会员号 会员编号",
    ),
    "email": ("email emailaddress mail", "邮箱 电子邮箱 电子邮件 邮件"),
    "address": ("address", "地址 联系地址 通讯地址 住址"),
    "level": ("level tier grade vip viplevel", "等级 级别 客户等级 客户级别 会员等级"),
    "language": ("language lang", "语言 语种"),
    "tags": ("tags tag labels label", "标签 分类"),
    "remark": ("remark remarks note notes comment comments", "备注 说明 描述"),
}
_BY_HEADING = {word: field for field, words in _HEADINGS.items() for word in " ".join(words).split()}
_DECORATION = re.compile(r"[\s_\-.*:::()()\[\]【】#/]+")
_TRAILING_COUNT = re.compile(r"\d+$")


def guess(headings: Sequence[str]) -> list[str]:
    """A field for each column, empty where none fits. A field that takes one column goes to the first that fits."""
    found: list[str] = []
    for heading in headings:
        plain = _DECORATION.sub("", heading).lower()
        field = _BY_HEADING.get(plain) or _BY_HEADING.get(_TRAILING_COUNT.sub("", plain), "")
        found.append(field if field in NUMBER_FIELDS or field not in found else "")
    return found


def is_heading(cells: Sequence[str], plan: Plan) -> bool:
    """Whether a first row names the columns: it does unless it holds a number or an e-mail address itself."""
    return not any("@" in cell or len(read(cell, plan).number) > 6 for cell in cells if cell.strip())


def letters(count: int) -> list[str]:
    """Names for columns that have none, as a spreadsheet names them."""
    return [get_column_letter(index + 1) for index in range(count)]


def problem(mapping: Sequence[str], columns: int) -> str:
    """Why a choice of fields cannot be used, as a code; empty when it can."""
    if len(mapping) != columns or any(field and field not in FIELDS for field in mapping):
        return "bad_mapping"
    once = [field for field in mapping if field and field not in NUMBER_FIELDS]
    if len(once) != len(set(once)):
        return "field_twice"
    if not any(field in NUMBER_FIELDS or field == "external_id" for field in mapping):
        return "no_key_column"
    return ""
