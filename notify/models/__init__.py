"""What people and machines are told."""

from notify.models.message import Message

__all__ = ["Message"]
