"""Customers over REST: search, match, change, notes, contacts, links to calls."""

from __future__ import annotations

import datetime
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from apps.accounts.audit_events import Event, note
from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.api.etags import matches
from apps.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, SignedCursorPagination
from apps.api.problems import Forbidden, NotFound, Problem
from apps.api.schema import problem
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.customers import export, forgetting, person_data, services, timeline, words
from apps.customers.api.serializers import (
    CALL_ID,
    ContactSerializer,
    CustomerSerializer,
    MatchSerializer,
    NoteSerializer,
    context_of,
)
from apps.customers.models import Customer, Note, Tag
from apps.customers.models.people import Level
from apps.customers.numbers import shown
from apps.customers.selectors import customers_of, fits, match_call, plan_of
from apps.recordings.selectors import audible_recordings

CONFLICT = {409: problem("external_id_taken, gone")}


class PermittedView(ApiViewSet):
    """Some actions need more than a scope: ``codes_by_action`` names the permission of accounts."""

    codes_by_action: dict[str, str] = {}

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        code = self.codes_by_action.get(self.action or "")
        if code and not can(request.user, code):
            raise Forbidden("permission_denied", _("Your role may not do this."))


def refused(error: services.Refused) -> Problem:
    """A change that cannot be made, as the interface says it."""
    detail = words.refusal(error.code)
    errors = [{"pointer": f"/{error.field}", "code": error.code, "detail": detail}] if error.field else []
    return Problem(error.code, detail, status=409, errors=errors)


class CustomerFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False,
        max_length=64,
        allow_blank=True,
        help_text="Words of name, company, external id or e-mail, or the last digits of a number.",
    )
    tag = serializers.CharField(required=False, max_length=40)
    level = serializers.ChoiceField(Level.choices, required=False)
    mine = serializers.BooleanField(required=False, default=False, help_text="Those whom I look after.")


class MatchFilter(serializers.Serializer):
    number = serializers.CharField(required=False, max_length=128, allow_blank=True, default="")
    call = serializers.RegexField(CALL_ID, required=False, default="")


class LinkSerializer(serializers.Serializer):
    call = serializers.RegexField(CALL_ID)


class MergeSerializer(serializers.Serializer):
    other = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Who goes into this one.")


class ErasureSerializer(serializers.Serializer):
    calls = serializers.IntegerField(help_text="Calls that no longer tell whose they were.")
    held = serializers.IntegerField(help_text="Calls that a legal hold keeps as they are.")


class PersonDataSerializer(serializers.Serializer):
    customer = serializers.DictField()
    numbers = serializers.ListField(child=serializers.DictField())
    tags = serializers.ListField(child=serializers.CharField())
    notes = serializers.ListField(child=serializers.DictField())
    calls = serializers.ListField(child=serializers.DictField())


class ContactPage(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ContactSerializer(many=True)


PAGED = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` of the answer before. Opaque."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
]


@extend_schema(tags=["customers"])
class CustomerViewSet(mixins.ListModelMixin, PermittedView):
    """People who call. Rows carry an ``ETag``; send it back as ``If-Match``."""

    queryset = Customer.objects.select_related("owner").prefetch_related("numbers", "tags")
    serializer_class = CustomerSerializer
    lookup_value_regex = "[0-9]{1,18}"
    scope = Scope.CUSTOMERS_WRITE
    scopes_by_action = dict.fromkeys(
        ("list", "retrieve", "match", "timeline", "tags", "export", "data"), Scope.CUSTOMERS_READ
    ) | {"notes": Scope.CUSTOMERS_WRITE}  # fmt: skip
    codes_by_action = {
        "destroy": "customers.delete", "erase": "customers.delete", "merge": "customers.merge",
        "export": "customers.export", "data": "customers.export",
    }  # fmt: skip
    ordering = ("-updated_at", "-pk")

    def get_queryset(self) -> QuerySet[Customer]:
        return super().get_queryset().filter(removed_at=None)

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return super().get_serializer_context() if fake else context_of(self)

    def filter_queryset(self, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.action not in ("list", "export"):
            return queryset
        wanted = self.filters(CustomerFilter)
        if wanted.get("q"):
            queryset = queryset.filter(fits(self.tenant.pk, wanted["q"]))
        if wanted.get("tag"):
            queryset = queryset.filter(tags__name=wanted["tag"])
        if wanted.get("level"):
            queryset = queryset.filter(level=wanted["level"])
        return queryset.filter(owner_id=self.request.user.pk) if wanted["mine"] else queryset

    @property
    def person(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def answer(self, customer: Customer, status: int = 200) -> Response:
        fresh = self.get_queryset().get(pk=customer.pk)
        return Response(self.get_serializer(fresh).data, status=status, headers={"ETag": etag(fresh)})

    # --- rows --------------------------------------------------------------------------------------------------

    @extend_schema(parameters=[CustomerFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The most recently changed first."""
        response: Response = super().list(request, *args, **kwargs)
        return response

    def retrieve(self, request: Request, pk: str = "") -> Response:
        return self.answer(self.get_object())

    @extend_schema(responses={201: CustomerSerializer, **CONFLICT})
    def create(self, request: Request) -> Response:
        fields, numbers, tags = self._read(request, partial=False)
        try:
            return self.answer(services.create_customer(self.tenant.pk, fields, numbers or [], tags or []), 201)
        except services.Refused as error:
            raise refused(error) from None

    @extend_schema(responses={200: CustomerSerializer, **CONFLICT})
    def partial_update(self, request: Request, pk: str = "") -> Response:
        """``numbers`` and ``tags``, where given, replace those there were."""
        fields, numbers, tags = self._read(request, partial=True)
        try:
            with transaction.atomic():
                customer = self._locked(request)
                services.update_customer(customer, fields, numbers=numbers, tags=tags)
        except services.Refused as error:
            raise refused(error) from None
        return self.answer(customer)

    @extend_schema(responses={204: None, **CONFLICT})
    def destroy(self, request: Request, pk: str = "") -> Response:
        """Take off file. An administrator can bring them back."""
        try:
            with transaction.atomic():
                services.remove(self._locked(request))
        except services.Refused as error:
            raise refused(error) from None
        return Response(status=204)

    def _read(self, request: Request, *, partial: bool) -> tuple[dict[str, Any], Any, Any]:
        serializer = self.get_serializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        return fields, fields.pop("numbers", None), fields.pop("tags", None)

    def _locked(self, request: Request) -> Customer:
        """The row, kept from others. Raises 412 when the asker saw an older one."""
        customer = services.locked(self.get_object())
        header = request.headers.get("If-Match")
        if header is not None and not matches(header, etag(customer)):
            detail = _("This was changed by somebody else meanwhile: read it again.")
            raise Problem("changed_meanwhile", detail, status=412)
        return customer

    # --- calls -------------------------------------------------------------------------------------------------

    @extend_schema(parameters=[MatchFilter], responses=MatchSerializer, filters=False)
    @action(detail=False, pagination_class=None)
    def match(self, request: Request) -> Response:
        """Whose number, or whose call, this is: nobody's, one's, or several's."""
        wanted = self.filters(MatchFilter)
        found = match_call(self.tenant.pk, wanted["call"], wanted["number"])
        region = plan_of(self.tenant.pk).region
        data = {
            "result": found.result,
            "number": found.reading.number,
            "shown": shown(found.reading.number, region),
            "extension": found.reading.extension,
            "linked": found.linked,
            "customers": self.get_serializer(found.customers, many=True).data,
        }
        return Response(data)

    @extend_schema(request=LinkSerializer, responses={200: CustomerSerializer, **CONFLICT})
    @action(detail=True, methods=["post"])
    def calls(self, request: Request, pk: str = "") -> Response:
        """Say that a call is with this customer; said again of the same call, the last word counts."""
        serializer = LinkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        customer = self.get_object()
        services.link_call(customer, serializer.validated_data["call"], self.person)
        return self.answer(customer)

    @extend_schema(parameters=PAGED, responses=ContactPage, filters=False)
    @action(detail=True, pagination_class=None)
    def timeline(self, request: Request, pk: str = "") -> Response:
        """All contacts, the newest first."""
        customer = self.get_object()
        limit = SignedCursorPagination().get_page_size(request)
        salt = f"contacts:{customer.pk}"
        entries, more = timeline.contacts(customer, before=_position(request, salt), limit=limit)
        following = None
        if more:
            sealed = signing.dumps([entries[-1].at.isoformat(), entries[-1].key], salt=salt)
            following = replace_query_param(request.build_absolute_uri(), "cursor", sealed)
        kept = [recording.pk for entry in entries for recording in entry.recordings]
        audible = audible_recordings(self.person, self.tenant.pk).filter(pk__in=kept).values_list("pk", flat=True)
        results = ContactSerializer(entries, many=True, context={"request": request, "audible": set(audible)}).data
        return Response({"next": following, "previous": None, "results": results})

    # --- notes, tags -------------------------------------------------------------------------------------------

    @extend_schema(request=NoteSerializer, responses={201: NoteSerializer, 409: problem("empty")})
    @action(detail=True, methods=["post"])
    def notes(self, request: Request, pk: str = "") -> Response:
        """Write a note."""
        serializer = NoteSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        try:
            note = services.add_note(self.get_object(), data["text"], self.person, data.get("call_id", ""))
        except services.Refused as error:
            raise refused(error) from None
        return Response(NoteSerializer(note, context={"request": request}).data, status=201)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["delete"], url_path="notes/(?P<note>[0-9]{1,18})")
    def delete_note(self, request: Request, pk: str = "", note: str = "") -> Response:
        """Take a note away: its author may, and an administrator."""
        row = Note.objects.filter(pk=int(note), customer=self.get_object()).first()
        if row is None:
            raise NotFound
        if row.author_id != request.user.pk and not can(request.user, "customers.delete"):
            raise Forbidden("permission_denied", _("Only its author may take a note away."))
        row.delete()
        return Response(status=204)

    @extend_schema(responses={200: {"type": "array", "items": {"type": "string"}}}, filters=False)
    @action(detail=False, pagination_class=None)
    def tags(self, request: Request) -> Response:
        """All tags of the tenant."""
        return Response(list(Tag.objects.filter(tenant=self.tenant).values_list("name", flat=True)))

    # --- duplicates, erasure, export ---------------------------------------------------------------------------

    @extend_schema(request=MergeSerializer, responses={200: CustomerSerializer, 409: problem("cannot_merge, gone")})
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str = "") -> Response:
        """``other`` goes into this customer, with numbers, tags, notes and calls. Cannot be undone."""
        serializer = MergeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        customer = self.get_object()
        other = customers_of(self.tenant.pk).filter(pk=serializer.validated_data["other"]).first()
        if other is None:
            raise NotFound
        try:
            return self.answer(services.merge(customer, other))
        except services.Refused as error:
            raise refused(error) from None

    @extend_schema(request=None, responses={200: ErasureSerializer, 409: problem("call_live")})
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str = "") -> Response:
        """Forget the person (a request to erase personal data). Cannot be undone.

        Their calls stay, without number, name and notes, in the history, in webhooks' log and in the audit log. Calls
        of a number that another customer has too stay as they are, unless they were said to be with this person.
        """
        try:
            return Response(ErasureSerializer(forgetting.erase(self.get_object())).data)
        except services.Refused as error:
            raise refused(error) from None

    @extend_schema(responses={200: PersonDataSerializer})
    @action(detail=True, pagination_class=None)
    def data(self, request: Request, pk: str = "") -> Response:
        """All that is kept of this person, to be handed to them. Taking it out is noted in the audit log."""
        customer = self.get_object()
        note(Event.CUSTOMER_TOLD, customer, tenant_id=self.tenant.pk, actor=self.person)
        headers = {"Content-Disposition": f'attachment; filename="customer-{customer.pk}.json"'}
        return Response(PersonDataSerializer(person_data.told(customer)).data, headers=headers)

    @extend_schema(parameters=[CustomerFilter], responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> HttpResponseBase:
        """As CSV, for a spreadsheet; the same filters as the list. An import takes it back."""
        rows = self.filter_queryset(self.get_queryset())
        note(Event.CUSTOMERS_TAKEN, Customer, name="CSV", tenant_id=self.tenant.pk, actor=self.person)
        response = StreamingHttpResponse(
            export.csv_lines(export.customer_rows(rows, export.headings())), content_type="text/csv"
        )
        day = timezone.localdate().isoformat()
        response["Content-Disposition"] = f'attachment; filename="customers-{day}.csv"'
        return response


def etag(customer: Customer) -> str:
    """Numbers and tags count: every change of them is a new version."""
    return f'"{customer.pk}-{customer.version}"'


def _position(request: Request, salt: str) -> timeline.Position | None:
    """Raises ``Problem`` for a cursor that we did not make, or made for somebody else's contacts."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        at, key = signing.loads(text, salt=salt)
    except (signing.BadSignature, ValueError):
        raise Problem("bad_cursor", _("Take the cursor from the answer before, of the same list.")) from None
    return datetime.datetime.fromisoformat(at), key
