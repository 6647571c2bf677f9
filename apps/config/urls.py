"""All addresses of the web process. The consoles own everything that is not listed here."""

from django.contrib import admin
from django.urls import include, path

from apps.operations.system_page import system

admin.autodiscover()

urlpatterns = [
    path("admin/system/", admin.site.admin_view(system), name="system"),
    path("admin/", admin.site.urls),
    path("", include("apps.accounts.urls")),
    path("api/", include("apps.api.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("apps.operations.urls")),
    path("customers/", include("apps.customers.urls")),
    path("", include("apps.consoles.urls")),
]
