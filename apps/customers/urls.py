"""Addresses of the customers' page."""

from django.urls import path

from apps.customers.views import customers

urlpatterns = [
    path("", customers, name="customers"),
    path("import/", customers, name="customers-import"),
    path("import/<int:rest>/", customers, name="customers-import-job"),
    path("<int:rest>/", customers, name="customer"),
]
