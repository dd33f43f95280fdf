"""Pages on which clusters are registered and edited, and their capacity is stated."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters import forms, permissions, queries, registration, restore_rows, rows, services
from clusters.models import Cluster
from clusters.services import holding
from web.errors import Invalid, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
def new(http: HttpRequest) -> HttpResponse:
    """Registering a cluster, by its particulars or by a kubeconfig."""
    permissions.check_keep_clusters(http.user)
    if http.method != "POST":
        return _register_form(http, None, registration.first_entries(), {})
    entries = registration.posted_entries(http.POST)
    try:
        given = registration.read(entries, is_new=True)
        cluster = services.add_cluster(
            name=entries["name"], driver=entries["driver"], by=http.user, at=timezone.now(), **given
        )
    except Invalid as error:
        return _register_form(http, None, entries, registration.field_errors(error.fields), status=error.status)
    messages.success(http, _("%(name)s is registered; the portal looks at it at once.") % {"name": cluster.name})
    return redirect("clusters")


@require_http_methods(["GET", "HEAD", "POST"])
def edit(http: HttpRequest, name: str) -> HttpResponse:
    """Saying more of a cluster, giving new credentials, taking it out of service and back."""
    permissions.check_keep_clusters(http.user)
    cluster = queries.clusters_managed_by(http.user).filter(name=name[:41]).first()
    if cluster is None:
        raise NotFound(_("There is no such cluster."))
    if http.method != "POST":
        return _register_form(http, cluster, registration.entries_of(cluster), {})
    entries = registration.posted_entries(http.POST)
    try:
        given = registration.read(entries, is_new=False)
        services.edit_cluster(
            name=cluster.name,
            values=given["values"],
            credentials=given["credentials"],
            by=http.user,
            at=timezone.now(),
        )
    except Invalid as error:
        return _register_form(http, cluster, entries, registration.field_errors(error.fields), status=error.status)
    messages.success(http, _("What is said of %(name)s is written down.") % {"name": cluster.name})
    return redirect("clusters")


def _register_form(
    http: HttpRequest,
    cluster: Cluster | None,
    entries: registration.Entries,
    errors: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    name = cluster.name if cluster else ""
    context = {
        "name": name,
        "sections": registration.sections(entries, errors, cluster.driver if cluster else ""),
        "errors": list(errors.values()),
        "action": reverse("cluster-edit", args=[name]) if cluster else reverse("cluster-new"),
        "list_url": reverse("clusters"),
    }
    return render(http, "clusters/register.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def capacity(http: HttpRequest, name: str) -> HttpResponse:
    """Saying how much a cluster has to give."""
    services.check_state(http.user)
    cluster = queries.clusters_visible_to(http.user).select_related("capacity").filter(name=name[:41]).first()
    if cluster is None:
        raise NotFound(_("There is no such cluster."))
    if http.method != "POST":
        likely = "nodes" if services.can_read_nodes(cluster) else "stated"
        return _form(http, cluster, forms.entries_of(rows.capacity_of(cluster), likely), {})
    entries = forms.posted_entries(http.POST)
    values, errors = forms.read(entries)
    if errors:
        return _form(http, cluster, entries, errors, status=422)
    try:
        services.state_capacity(name=cluster.name, by=http.user, at=timezone.now(), **values)
    except Invalid as error:
        return _form(http, cluster, entries, forms.field_errors(error.fields), status=error.status)
    messages.success(http, _("The capacity of %(name)s is written down.") % {"name": cluster.name})
    return redirect("clusters")


def _form(
    http: HttpRequest, cluster: Cluster, entries: forms.Entries, errors: Mapping[str, str], status: int = 200
) -> HttpResponse:
    standings = rows.standings_of([cluster])[cluster.pk]
    context = {
        "name": cluster.name,
        "fields": forms.page_fields(entries, errors, services.can_read_nodes(cluster)),
        "errors": list(errors.values()),
        "standings": rows.standing_rows(standings),
        "action": reverse("cluster-capacity", args=[cluster.name]),
        "list_url": reverse("clusters"),
    }
    return render(http, "clusters/capacity.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def restore(http: HttpRequest, name: str) -> HttpResponse:
    """What a held cluster has beyond the restored database, and going on."""
    permissions.check_keep_clusters(http.user)
    if http.method != "POST":
        return _beyond(http, name, [], [])
    chosen = http.POST.getlist("overwrite")
    try:
        holding.confirm(name=name[:41], overwrite=chosen, by=http.user, at=timezone.now())
    except Invalid as error:
        return _beyond(http, name, chosen, list(error.fields.values()), status=error.status)
    messages.success(http, _("Work on %(name)s goes on.") % {"name": name})
    return redirect("clusters")


def _beyond(http: HttpRequest, name: str, chosen: list[str], errors: list[str], status: int = 200) -> HttpResponse:
    cluster = queries.clusters_visible_to(http.user).select_related("health").filter(name=name[:41]).first()
    held = restore_rows.held_row(cluster, cluster.health, True) if cluster else {}
    if not held:
        raise NotFound(_("There is no cluster of this name that is held."))
    for row in held["rows"]:
        row["is_chosen"] = row["bundle"] in chosen
    context = {"held": held, "errors": errors, "list_url": reverse("clusters")}
    return render(http, "clusters/restore.html", context, status=status)
