"""Addresses of pages that another part of the portal may have."""

from django.urls import NoReverseMatch, reverse


def optional_url(name: str, *arguments: object) -> str:
    """The address of the named page, "" where there is none."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
