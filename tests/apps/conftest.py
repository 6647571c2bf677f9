"""The story's company in the database, and people signed in to the admin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from apps.accounts.models import Role, Tenant, User
from apps.demo.story import load_story


@pytest.fixture
def story(db: None) -> Tenant:
    load_story()
    return Tenant.objects.get(code="cloudbridge")


@pytest.fixture
def admin_page(story: Tenant) -> Client:
    """The story's administrator in the admin, in English."""
    return signed_in("admin")


@pytest.fixture
def root_page(story: Tenant) -> Client:
    """A superuser, who belongs to no tenant."""
    User.objects.create(username="root", is_superuser=True, is_staff=True)
    return signed_in("root")


@pytest.fixture
def other_tenant(story: Tenant) -> Tenant:
    tenant = Tenant.objects.create(code="other", name="Other Ltd")
    User.objects.create(username="otheradmin", tenant=tenant, role=Role.ADMIN, is_staff=True)
    return tenant


def signed_in(username: str, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.get(username=username))
    return client


@pytest.fixture(autouse=True)
def _fast_passwords(settings: object) -> Iterator[None]:
    """Hashing for real takes a quarter of a second for every story."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    yield
