"""Tables that every context may name."""

from __future__ import annotations

from server.core.models.attachment import Attachment, AttachmentChunk, AttachmentLink, Blob
from server.core.models.location import Location
from server.core.models.note import Note
from server.core.models.notification import Notification, NotificationRecipient, QuietHours
from server.core.models.party import Address, Contact
from server.core.models.plant import Plant
from server.core.models.tag import Tag, TagLink

__all__ = [
    "Address",
    "Attachment",
    "AttachmentChunk",
    "AttachmentLink",
    "Blob",
    "Contact",
    "Location",
    "Note",
    "Notification",
    "NotificationRecipient",
    "Plant",
    "QuietHours",
    "Tag",
    "TagLink",
]
