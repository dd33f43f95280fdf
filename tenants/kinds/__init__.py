"""The kinds of request of this room: one class in a file named like its slug, beside it its schema where that is long.

What several kinds share is in of_project and of_tenant (what a form is about), member_requests (lists of people and
groups) and project_requests (keys, facts, and the room that a quota leaves).
"""
