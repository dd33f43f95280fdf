"""Sessions in the database, as Django keeps them, for keys that a row can hold."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django asks the database for whatever a cookie says, and PostgreSQL refuses NUL with an error, not an answer."""

    def _validate_session_key(self, key: str | None) -> bool:
        is_valid = super()._validate_session_key(key)  # type: ignore[misc]
        return bool(is_valid) and str(key).isalnum()
