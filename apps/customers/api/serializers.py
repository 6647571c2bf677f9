"""Customers as the REST interface shows and takes them. Texts are made fit to keep on their way in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.models import User
from apps.calls.going_on import goes_on
from apps.customers import cleaning
from apps.customers.imports.rows import is_mobile
from apps.customers.models import Customer, Note, PhoneNumber
from apps.customers.models.people import Level, NumberLabel
from apps.customers.numbers import read, shown
from apps.customers.selectors import plan_of
from apps.customers.services import MOST_NUMBERS, MOST_TAGS, NumberData

CALL_ID = r"^[A-Za-z0-9_.\-]{1,128}$"


class LineField(serializers.CharField):
    """One line of text without anything that cannot be seen."""

    def to_internal_value(self, data: Any) -> str:
        return cleaning.line(super().to_internal_value(data))


class TagNamesField(serializers.ListField):
    """The tags of a customer are rows; in and out they are names."""

    child = LineField(max_length=40)

    def get_attribute(self, instance: Any) -> list[str]:
        return [tag.name for tag in instance.tags.all()]


class NumberSerializer(serializers.ModelSerializer):
    """Written in any form, kept as E.164; ``shown`` is for people."""

    number = serializers.CharField(max_length=64, help_text="Any form goes in, E.164 or a short code comes out.")
    shown = serializers.SerializerMethodField()
    extension = serializers.RegexField(r"^\d{0,8}$", required=False, allow_blank=True)
    label = serializers.ChoiceField(NumberLabel.choices, required=False)

    class Meta:
        model = PhoneNumber
        fields = ("number", "shown", "extension", "label")

    def get_shown(self, row: PhoneNumber) -> str:
        return shown(row.number, self.context["plan"].region) if "plan" in self.context else row.number

    def validate(self, attrs: dict[str, Any]) -> Any:
        # A PATCH of the customer makes this partial as well, yet a number without its number is none.
        reading = read(attrs.get("number", ""), self.context["plan"])
        if not reading.number:
            raise serializers.ValidationError({"number": _("Not a telephone number.")})
        return NumberData(
            number=reading.number,
            extension=attrs.get("extension") or reading.extension,
            label=attrs.get("label") or ("mobile" if is_mobile(reading.number) else "work"),
            as_written=cleaning.line(attrs["number"]),
        )


class CustomerSerializer(serializers.ModelSerializer):
    name = LineField(max_length=100)
    company = LineField(max_length=100, required=False, allow_blank=True)
    language = serializers.ChoiceField(settings.LANGUAGES, required=False, allow_blank=True)
    level = serializers.ChoiceField(Level.choices, required=False)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    address = LineField(max_length=300, required=False, allow_blank=True)
    external_id = LineField(max_length=64, required=False, allow_blank=True)
    remark = LineField(max_length=500, required=False, allow_blank=True)
    owner = serializers.PrimaryKeyRelatedField(queryset=User.objects.none(), required=False, allow_null=True)
    owner_name = serializers.SerializerMethodField()
    numbers = NumberSerializer(many=True, required=False, max_length=MOST_NUMBERS)
    tags = TagNamesField(required=False, max_length=MOST_TAGS)

    class Meta:
        model = Customer
        fields = (
            "id", "name", "company", "level", "language", "email", "address", "external_id", "remark", "owner",
            "owner_name", "numbers", "tags", "version", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("version", "created_at", "updated_at")

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        if "tenant" in self.context:
            fields["owner"].queryset = User.objects.filter(tenant=self.context["tenant"], is_active=True)
        return fields

    def get_owner_name(self, customer: Customer) -> str:
        return customer.owner.display_name if customer.owner is not None else ""


def context_of(view: Any) -> dict[str, Any]:
    """What these serializers need to know of a request."""
    return {"request": view.request, "tenant": view.tenant, "plan": plan_of(view.tenant.pk)}


class MatchSerializer(serializers.Serializer):
    """Whose call it is. ``several``: somebody must choose, then ``POST /customers/{id}/calls``."""

    result = serializers.ChoiceField(["none", "one", "several", "withheld"])
    number = serializers.CharField(allow_blank=True, help_text="As it would be kept; empty when it is no number.")
    shown = serializers.CharField(allow_blank=True)
    extension = serializers.CharField(allow_blank=True)
    linked = serializers.BooleanField(help_text="Somebody said that the call is with this customer.")
    customers = CustomerSerializer(many=True)


class NoteSerializer(serializers.ModelSerializer):
    text = serializers.CharField(max_length=4000)
    call = serializers.RegexField(CALL_ID, source="call_id", required=False, allow_blank=True)
    mine = serializers.SerializerMethodField()

    class Meta:
        model = Note
        fields = ("id", "text", "author_name", "created_at", "call", "mine")
        read_only_fields = ("author_name", "created_at")

    def get_mine(self, note: Note) -> bool:
        return note.author_id is not None and note.author_id == self.context["request"].user.pk

    def validate_text(self, text: str) -> str:
        return cleaning.block(text)


class ContactRecording(serializers.Serializer):
    id = serializers.CharField()
    duration_ms = serializers.IntegerField(allow_null=True)


class ContactSerializer(serializers.Serializer):
    """One contact: a call, or a note that was written. Recordings only for those who may hear them."""

    kind = serializers.ChoiceField(["call", "note"])
    id = serializers.CharField(source="row.pk")
    at = serializers.DateTimeField()
    direction = serializers.SerializerMethodField()
    number = serializers.SerializerMethodField()
    outcome = serializers.SerializerMethodField()
    missed = serializers.BooleanField()
    live = serializers.SerializerMethodField()
    queue = serializers.SerializerMethodField()
    agent = serializers.SerializerMethodField()
    talk_ms = serializers.SerializerMethodField()
    wait_ms = serializers.SerializerMethodField()
    disposition = serializers.CharField(source="disposition_name")
    text = serializers.SerializerMethodField(help_text="The note, or what was noted about the call.")
    linked = serializers.BooleanField()
    recordings = serializers.SerializerMethodField()

    def _of_call(self, entry: Any, name: str, otherwise: Any = "") -> Any:
        value = getattr(entry.row, name, None) if entry.kind == "call" else None
        return otherwise if value is None else value

    def get_direction(self, entry: Any) -> str:
        return str(self._of_call(entry, "direction"))

    def get_number(self, entry: Any) -> str:
        return str(self._of_call(entry, "caller_number"))

    def get_outcome(self, entry: Any) -> str:
        return str(self._of_call(entry, "outcome"))

    def get_live(self, entry: Any) -> bool:
        return bool(entry.kind == "call" and goes_on(entry.row))

    def get_queue(self, entry: Any) -> str:
        queue = self._of_call(entry, "last_queue", None)
        return queue.name if queue is not None else ""

    def get_agent(self, entry: Any) -> str:
        if entry.kind == "note":
            return str(entry.row.author_name)
        agent = entry.row.last_agent
        return agent.name if agent is not None else ""

    def get_talk_ms(self, entry: Any) -> int:
        return int(self._of_call(entry, "talk_ms", 0))

    def get_wait_ms(self, entry: Any) -> int:
        return int(self._of_call(entry, "wait_ms", 0))

    def get_text(self, entry: Any) -> str:
        if entry.kind == "note":
            return str(entry.row.text)
        return entry.disposition.note if entry.disposition is not None else ""

    @extend_schema_field(ContactRecording(many=True))
    def get_recordings(self, entry: Any) -> Any:
        audible = [item for item in entry.recordings if item.pk in self.context["audible"]]
        return ContactRecording(audible, many=True).data
