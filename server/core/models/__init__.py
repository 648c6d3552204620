"""Tables that every context may name."""

from __future__ import annotations

from server.core.models.attachment import Attachment, AttachmentChunk, AttachmentLink, Blob
from server.core.models.notification import Notification, NotificationRecipient, QuietHours
from server.core.models.plant import Plant

__all__ = [
    "Attachment",
    "AttachmentChunk",
    "AttachmentLink",
    "Blob",
    "Notification",
    "NotificationRecipient",
    "Plant",
    "QuietHours",
]
