"""What has changed about a request since an earlier round, for who decides anew."""

from collections.abc import Sequence

from workflow.changes import changed_fields
from workflow.kinds import kind_of
from workflow.models import EarlierValues, Request
from workflow.rows.lists import Row


def changes_row(request: Request, earlier: Sequence[EarlierValues]) -> Row | None:
    """{"rows": [{label, before, after, added, removed}], "was_sent_back", "at"}: since it was last sent back, or since
    who asked last changed it; None where nothing of what people fill in is different, or in the first round."""
    if not earlier:
        return None
    since = next((one for one in reversed(earlier) if one.was_sent_back), earlier[-1])
    rows = changed_fields(kind_of(request.kind).schema, since.values, request.values)
    return {"rows": rows, "was_sent_back": since.was_sent_back, "at": since.replaced_at} if rows else None
