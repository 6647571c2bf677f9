"""All addresses under ``/api/v1/``. Each app's views are registered here; see ``docs/api.md``."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from apps.api.problems import plain_response
from apps.api.resources.agents import AgentViewSet
from apps.api.resources.callbacks import CallbackViewSet
from apps.api.resources.calls import CallViewSet
from apps.api.resources.commands import CommandView
from apps.api.resources.lists import DidViewSet, DispositionViewSet, PauseReasonViewSet
from apps.api.resources.me import MeView
from apps.api.resources.queues import QueueViewSet
from apps.api.resources.recordings import RecordingViewSet
from apps.api.resources.tokens import TokenViewSet
from apps.customers.api.imports import ImportViewSet
from apps.customers.api.people import CustomerViewSet
from apps.webhooks.api import DeliveryViewSet, EndpointViewSet

router = SimpleRouter(trailing_slash=False)
router.register("agents", AgentViewSet)
router.register("callbacks", CallbackViewSet)
router.register("calls", CallViewSet)
# Before "customers": what is under it would be taken for an id.
router.register("customers/imports", ImportViewSet)
router.register("customers", CustomerViewSet)
router.register("dids", DidViewSet)
router.register("dispositions", DispositionViewSet)
router.register("pause-reasons", PauseReasonViewSet)
router.register("queues", QueueViewSet)
router.register("recordings", RecordingViewSet)
router.register("tokens", TokenViewSet)
router.register("webhooks", EndpointViewSet)
router.register(r"webhooks/(?P<webhook>[0-9]{1,18})/deliveries", DeliveryViewSet)


@csrf_exempt
def nothing_here(request: HttpRequest, **_kwargs: str) -> HttpResponse:
    return plain_response(request, 404, "not_found", _("There is nothing at this address."))


class SchemaView(SpectacularAPIView):
    """The document itself is public: it holds nothing of any tenant."""

    authentication_classes: tuple[type, ...] = ()
    permission_classes: tuple[type, ...] = ()


@login_required
def docs(request: HttpRequest) -> HttpResponse:
    """The document for people, by Swagger UI from our own files."""
    return render(request, "api/docs.html")


urlpatterns = [
    path("v1/docs/", docs, name="api-docs"),
    path("v1/schema/", SchemaView.as_view(), name="api-schema"),
    path("v1/commands/<uuid:pk>", CommandView.as_view(), name="api-command"),
    path("v1/me", MeView.as_view(), name="api-me"),
    path("v1/", include(router.urls)),
    re_path(r"^.*$", nothing_here),
]
