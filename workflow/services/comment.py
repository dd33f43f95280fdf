"""Saying something about a request without deciding it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from web.errors import Invalid, NotFound
from workflow import permissions, queries, schema
from workflow.models import Comment
from workflow.services import notices

LONGEST = 2000


@transaction.atomic
def comment(*, number: int, text: str, by: User, at: datetime) -> Comment:
    """Adds a comment of at most 2000 characters. Raises NotFound, Forbidden, Invalid."""
    request = queries.requests_visible_to(by).filter(pk=number).first()
    if request is None:
        raise NotFound(_("There is no such request."))
    permissions.check_comment(request, by)
    if not text.strip():
        raise Invalid(_("The comment is empty."), {"/text": _("This is needed.")})
    if len(text) > LONGEST:
        raise Invalid(_("The comment is too long."), {"/text": _("At most %(limit)s characters.") % {"limit": LONGEST}})
    if not schema.is_printable(text):
        raise Invalid(_("The comment is not valid."), {"/text": _("Contains characters that cannot be shown.")})
    said = Comment.objects.create(request=request, by=by, text=text.strip(), at=at)
    audit.record(
        actor=by,
        action="request.comment",
        subject=f"request:{number}",
        tenant=request.tenant_code,
        after={"comment": said.pk, "text": said.text},
        at=at,
    )
    notices.announce(request, "request.commented", at)
    notices.commented(request, by, said.text, at)
    return said
