"""What people and machines are told."""

from notify.models.mail import Digest, Mail, Preference
from notify.models.message import Message
from notify.models.webhook import Attempt, Delivery, Endpoint, Occurrence

__all__ = ["Attempt", "Delivery", "Digest", "Endpoint", "Mail", "Message", "Occurrence", "Preference"]
