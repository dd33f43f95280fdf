"""Requests, plans, inboxes and delegations as prepared rows for pages: plain values in the reader's language."""

from workflow.rows.deciding import decision_panel, log_rows, policy_row, refusal
from workflow.rows.delegations import DELEGATION_STATES, delegation_rows, held_rows
from workflow.rows.inbox import deadline, effect_of, inbox_row, risks_of
from workflow.rows.lists import (
    bundles_of,
    child_rows,
    decision_status,
    is_parent,
    own_form_url,
    request_row,
    request_status,
    telling,
    track,
    waiting_for,
)
from workflow.rows.plans import changes_summary, plan_row
from workflow.rows.rounds import changes_row
from workflow.rows.timelines import speaker, timeline

__all__ = [
    "DELEGATION_STATES",
    "bundles_of",
    "changes_row",
    "changes_summary",
    "child_rows",
    "deadline",
    "decision_panel",
    "decision_status",
    "delegation_rows",
    "effect_of",
    "held_rows",
    "inbox_row",
    "is_parent",
    "log_rows",
    "own_form_url",
    "plan_row",
    "policy_row",
    "refusal",
    "request_row",
    "request_status",
    "risks_of",
    "speaker",
    "telling",
    "timeline",
    "track",
    "waiting_for",
]
