"""Customers, their tags and notes, how their numbers are read, and the imports that were."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline

from apps.accounts.tenant_admin import ReadOnlyAdmin, TenantForm, TenantScopedAdmin, administers
from apps.customers import forgetting, services, words
from apps.customers.models import Customer, ImportFault, ImportJob, Note, NumberPlan, PhoneNumber, Tag
from apps.customers.selectors import customers_of, search


class CustomerForm(TenantForm):
    def clean(self) -> dict[str, Any]:
        """The constraint's condition is on a field that the form has not, so Django does not check it."""
        data = super().clean()
        external_id = data.get("external_id")
        tenant = data.get("tenant") or getattr(self.instance, "tenant", None)
        if external_id and tenant is not None and self.instance.removed_at is None:
            others = customers_of(tenant.pk).filter(external_id=external_id).exclude(pk=self.instance.pk)
            if others.exists():
                self.add_error("external_id", words.refusal("external_id_taken"))
        return data


class PartOfCustomer(TabularInline):  # type: ignore[misc]
    form = TenantForm
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)


class PhoneNumberInline(PartOfCustomer):
    model = PhoneNumber
    fields = ("number", "extension", "label", "as_written")
    readonly_fields = ("as_written",)


class NoteInline(PartOfCustomer):
    """What was written is not rewritten; it can be taken away."""

    model = Note
    fields = readonly_fields = ("created_at", "author_name", "text")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OnFile(admin.SimpleListFilter):
    """Removed ones are shown only to those who ask."""

    title = _("on file")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("removed or merged")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("on file")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.exclude(removed_at=None) if self.value() == "yes" else queryset.filter(removed_at=None)


@admin.register(Customer)
class CustomerAdmin(TenantScopedAdmin):
    form = CustomerForm
    list_display = ("name", "company", "first_number", "level", "language", "owner", "updated_at")
    list_filter = (OnFile, "level", "language", "tags")
    search_fields = ("name",)
    search_help_text = _("Name, company, external id, e-mail, or the last digits of a number.")
    autocomplete_fields = ("tags",)
    fields = (
        "tenant", "name", "company", "level", "language", "external_id", "email", "address", "owner", "tags", "remark",
        "removed_at", "erased_at", "merged_into",
    )  # fmt: skip
    readonly_fields = ("removed_at", "erased_at", "merged_into")
    inlines = (PhoneNumberInline, NoteInline)
    actions = ("bring_back", "erase")
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Customer]:
        return super().get_queryset(request).select_related("owner", "tenant").prefetch_related("numbers")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        tenants = queryset.order_by().values_list("tenant_id", flat=True).distinct() if search_term else []
        found = [search(tenant_id, search_term) for tenant_id in tenants]
        if not found:
            return (queryset.none() if search_term else queryset), False
        keys = [pk for rows in found for pk in rows.values_list("pk", flat=True)[:1000]]
        return queryset.filter(pk__in=keys), False

    @admin.display(description=_("number"))
    def first_number(self, customer: Customer) -> str:
        return ", ".join(str(number) for number in customer.numbers.all()[:2])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            row.tenant_id = form.instance.tenant_id
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        obj.version = obj.version + 1 if change else 1
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Customer) -> None:
        """Removed, not deleted: calls were with them."""
        if obj.removed_at is None:
            services.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Customer]) -> None:
        for row in queryset.filter(removed_at=None):
            services.remove(row)

    @admin.action(description=_("Bring removed customers back"))
    def bring_back(self, request: HttpRequest, queryset: models.QuerySet[Customer]) -> None:
        done = 0
        for row in queryset.exclude(removed_at=None):
            try:
                services.restore(row)
            except services.Refused:
                self.message_user(request, _("%s cannot be brought back.") % row, messages.WARNING)
            else:
                done += 1
        self.message_user(request, ngettext("%d customer is back.", "%d customers are back.", done) % done)

    @admin.action(description=_("Erase personal data (cannot be undone)"))
    def erase(self, request: HttpRequest, queryset: models.QuerySet[Customer]) -> None:
        done = held = 0
        for row in queryset.filter(erased_at=None):
            try:
                held += forgetting.erase(row).held
            except services.Refused as refused:
                self.message_user(request, f"{row}: {words.refusal(refused.code)}", messages.WARNING)
            else:
                done += 1
        said = ngettext("%d customer was erased.", "%d customers were erased.", done) % done
        self.message_user(request, said)
        if held:
            self.message_user(request, _("%d calls stay as they are: under a legal hold.") % held, messages.WARNING)


@admin.register(Tag)
class TagAdmin(TenantScopedAdmin):
    list_display = ("name", "used")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tag]:
        rows: models.QuerySet[Tag] = super().get_queryset(request)
        return rows.annotate(used_count=models.Count("customers"))

    @admin.display(description=_("customers"), ordering="used_count")
    def used(self, tag: Any) -> int:
        return int(tag.used_count)


@admin.register(NumberPlan)
class NumberPlanAdmin(TenantScopedAdmin):
    list_display = ("tenant", "region", "area_code", "outside_prefixes")
    search_fields = ("tenant__name", "area_code")


class FaultInline(TabularInline):  # type: ignore[misc]
    model = ImportFault
    fields = readonly_fields = ("row", "column", "value", "code")
    extra = 0
    max_num = 0
    can_delete = False
    per_page = 50

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """Started and stopped on the import page; here is what became of them."""

    list_display = ("file_name", "status", "created_at", "created_by", "rows_total", "failed_count")
    list_filter = ("status",)
    search_fields = ("file_name",)
    date_hierarchy = "created_at"
    exclude = ("detail",)
    inlines = (FaultInline,)
