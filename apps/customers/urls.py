"""Addresses of the customers' page."""

from django.urls import path

from apps.accounts.permissions import permission_required
from apps.customers.views import customers

imports = permission_required("customers.import")(customers)

urlpatterns = [
    path("", customers, name="customers"),
    path("import/", imports, name="customers-import"),
    path("import/<int:rest>/", imports, name="customers-import-job"),
    path("<int:rest>/", customers, name="customer"),
]
