"""The pages that live state is shown on, and the way to them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.accounts.models import Role
from apps.live import access


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Straight to the page of one's work; who has several, chooses."""
    seat = access.seat_of(request.user)
    floor = access.floor_of(request.user)
    if seat is not None and floor is None:
        # The console signs the agent in by itself right after the sign-in page, and only then.
        return redirect("/agent/#sign-in")
    if floor is not None and seat is None and getattr(request.user, "role", "") == Role.SUPERVISOR:
        return redirect("wall")
    return render(request, "consoles/home.html", {"is_agent": seat is not None, "is_floor": floor is not None})
