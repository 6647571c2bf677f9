"""What published flows refer to."""

from __future__ import annotations

from apps.ivr.models import Flow


def flows_naming(tenant_id: int, field: str, code: str) -> list[Flow]:
    """Published flows with a node whose ``field`` (``queue``, ``schedule``) is ``code``."""
    flows = Flow.objects.filter(tenant_id=tenant_id, published__isnull=False).select_related("published")
    return [flow for flow in flows if flow.published and _names(flow.published.document, field, code)]


def _names(document: dict[str, dict[str, dict[str, object]]], field: str, code: str) -> bool:
    return any(node.get(field) == code for node in document["nodes"].values())
