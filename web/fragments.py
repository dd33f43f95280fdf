"""Parts of a page that are fetched by themselves."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render


def fragment(http: HttpRequest, template: str, context: dict[str, Any], page: str) -> HttpResponse:
    """The part for htmx; whoever opens its address by hand is sent to the `page` (URL) it belongs to."""
    if http.headers.get("HX-Request") != "true":
        return redirect(page)
    return render(http, template, context)
