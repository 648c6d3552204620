"""What the terminal remembers: the journal, what the screens query of it, and the server's master data."""

from foodflow_desktop.store.drafts import Draft, Recorded
from foodflow_desktop.store.master import Master
from foodflow_desktop.store.queries import Entry
from foodflow_desktop.store.status import LaneStatus, SyncStatus
from foodflow_desktop.store.store import Options, Store
from foodflow_desktop.store.terminal import Terminal

__all__ = ["Draft", "Entry", "LaneStatus", "Master", "Options", "Recorded", "Store", "SyncStatus", "Terminal"]
