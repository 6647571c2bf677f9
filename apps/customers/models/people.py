"""Customers, their numbers and tags."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import TenantOwned
from apps.customers.numbers import STORED

stored_number = RegexValidator(
    f"^(?:{STORED.pattern})$",
    _("Expected an international number such as +8613800138000, or a short code of 3 to 6 digits."),
)


class Level(models.TextChoices):
    """How much somebody matters to the company; the pop marks VIPs."""

    STANDARD = "standard", _("standard")
    SILVER = "silver", _("silver")
    GOLD = "gold", _("gold")
    VIP = "vip", _("VIP")


class Tag(TenantOwned):
    name = models.CharField(_("name"), max_length=40)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("tenant", "name", name="tag_once_per_tenant")]

    def __str__(self) -> str:
        return self.name


class SearchGrams(models.Func):
    """Every character and every pair of neighbouring characters of the texts, in small letters, as an array.

    A function of ours in PostgreSQL (migration 0001). Trigrams will not do: a Chinese name has two or three characters,
    and with a C locale pg_trgm sees none of them.
    """

    function = "customers_grams"
    output_field = ArrayField(models.TextField())


class CustomerManager(models.Manager["Customer"]):
    """Leaves the search's array where it is: it is long, and only the database reads it."""

    def get_queryset(self) -> models.QuerySet[Customer]:
        return super().get_queryset().defer("grams")


class Customer(TenantOwned):
    """Somebody who calls. Removed ones keep their row, so that history can still be told; nobody finds them."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=100)
    company = models.CharField(_("company"), max_length=100, blank=True)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, blank=True, help_text=_("Empty: not known.")
    )
    level = models.CharField(_("level"), max_length=8, choices=Level.choices, default=Level.STANDARD)
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    external_id = models.CharField(
        _("external id"), max_length=64, blank=True, help_text=_("The number under which your other systems know them.")
    )
    remark = models.CharField(_("remark"), max_length=500, blank=True, help_text=_("Shown with every call."))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("looked after by"),
        related_name="customers",
    )
    tags = models.ManyToManyField(Tag, blank=True, verbose_name=_("tags"), related_name="customers")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(_("personal data erased"), null=True, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("merged into"),
        related_name="merged",
    )
    grams = models.GeneratedField(
        expression=SearchGrams("name", "company", "external_id", "email"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = CustomerManager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                "tenant",
                "external_id",
                condition=~models.Q(external_id="") & models.Q(removed_at=None),
                name="external_id_once_per_tenant",
                violation_error_message=_("Another customer has this external id."),
            )
        ]
        indexes = [
            GinIndex(fields=["grams"], name="customer_search"),
            models.Index(fields=["tenant", "-updated_at"], condition=models.Q(removed_at=None), name="customer_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.company})" if self.company else self.name


class NumberLabel(models.TextChoices):
    MOBILE = "mobile", _("mobile")
    WORK = "work", _("work")
    HOME = "home", _("home")
    OTHER = "other", _("other")


class PhoneNumber(TenantOwned):
    """A number of a customer. Not unique in a tenant: a household or an office may share one."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="numbers", verbose_name=_("customer"))
    number = models.CharField(_("number"), max_length=16, validators=[stored_number], help_text="E.164")
    extension = models.CharField(
        _("extension"), max_length=8, blank=True, validators=[RegexValidator(r"^\d*$", _("Digits only."))]
    )
    label = models.CharField(_("kind"), max_length=6, choices=NumberLabel.choices, default=NumberLabel.MOBILE)
    as_written = models.CharField(_("as written"), max_length=64, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("phone number")
        verbose_name_plural = _("phone numbers")
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint("customer", "number", "extension", name="number_once_per_customer")]
        indexes = [
            models.Index(fields=["tenant", "number"]),
            # The last digits are what people remember and read out.
            models.Index(OpClass(Reverse("number"), name="text_pattern_ops"), name="number_suffix"),
        ]

    def __str__(self) -> str:
        return f"{self.number};ext={self.extension}" if self.extension else self.number
