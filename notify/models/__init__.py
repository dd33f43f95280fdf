"""What people and machines are told."""

from notify.models.message import Message
from notify.models.webhook import Attempt, Delivery, Endpoint, Occurrence

__all__ = ["Attempt", "Delivery", "Endpoint", "Message", "Occurrence"]
