"""Sync details: what waits, since when, what works without the hub; opened by the pill."""

from __future__ import annotations

from PySide6.QtCore import Qt

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.sync_details import SyncDetailsScreen, SyncDetailsStation
from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views import jobs
from foodflow_desktop.views.i18n import clock, length, number, tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_desktop.views.widgets.parts import Card, Rule, column, row
from foodflow_kernel.errors import SyncError
from foodflow_kernel.wire.protocol import Lane

LANES = {
    Lane.urgent: lambda: tr("Alarms, holds and critical checks"),
    Lane.events: lambda: tr("Weights, materials, stops, scrap and counts"),
    Lane.bulk: lambda: tr("Photos and documents"),
    Lane.telemetry: lambda: tr("Sensor values"),
}


def heading(screen: SyncDetailsScreen) -> tuple[str, str, str]:
    """Icon, colour and words of the state, as the pill says it."""
    count = number(screen.pill.count)
    match screen.pill.state:
        case PillState.all_sent:
            return "cloud_ok", "ok", tr("All sent · just now")
        case PillState.sending:
            return "cloud_up", "ink2", tr("Sending {n}", n=count)
        case PillState.offline:
            return "cloud_off", "off", tr("Offline · {n} saved here", n=count) if screen.pill.count else tr("Offline")
        case PillState.needs_help:
            return "flag", "warn", tr("Needs help · {n}", n=count)
        case PillState.not_paired:
            return "cloud_off", "ink2", tr("Not paired")
        case PillState.cannot_save:
            return "crit", "crit", tr("Cannot save")


class SyncDetailsView(StationView):
    """State and Send now on top; waiting by kind left, what works offline right."""

    name = "sync"
    rail = "more"

    def __init__(self, context: Context, station: SyncDetailsStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = lambda: jobs.on_ui(self.refresh)
        self._icon = Icon("cloud_ok", 44, "ok")
        self._state = Words("sync.state", 30, 720)
        self._heard = Words("sync.heard", 19, 500, "ink2", wrap=True)
        self.send = TouchButton("sync.send", "primary", "sync", px=21, weight=680, height=88)
        self._waiting_title = Words("sync.waiting_title", 21, 680)
        self._oldest = Words("sync.oldest", 17, 500, "ink2")
        self._lanes = {
            lane: (
                Words(f"sync.lane.{lane.value}.label", 18, 500, wrap=True),
                Words(f"sync.lane.{lane.value}", 22, 700),
            )
            for lane in Lane
        }
        self._works_title = Words("sync.works_title", 21, 680)
        self._works = Words("sync.works", 18, 500, wrap=True)
        self._works_not = Words("sync.works_not", 18, 500, "ink2", wrap=True)
        self._problem = Words("sync.problem", 18, 600, "warn", wrap=True)
        self._where = Words("sync.where", 16, 500, "ink2", wrap=True)
        self._build()

    def _build(self) -> None:
        top = Card("sync.top")
        words = column(gap=2)
        words.addWidget(self._state)
        words.addWidget(self._heard)
        head = row(gap=22, margins=(29, 20, 25, 20))
        head.addWidget(self._icon)
        head.addLayout(words, 1)
        head.addWidget(self.send)
        top.setLayout(head)
        waiting = Card("sync.waiting")
        inside = column(gap=0, margins=(28, 20, 28, 16))
        title = row()
        title.addWidget(self._waiting_title, 1)
        title.addWidget(self._oldest)
        inside.addLayout(title)
        inside.addSpacing(10)
        for label, value in self._lanes.values():
            inside.addWidget(Rule())
            line = row(gap=16, margins=(0, 14, 0, 14))
            line.addWidget(label, 1)
            line.addWidget(value)
            inside.addLayout(line)
        inside.addStretch(1)
        waiting.setLayout(inside)
        works = Card("sync.offline")
        inside = column(gap=10, margins=(28, 20, 28, 20))
        inside.addWidget(self._works_title)
        for icon, tint, text in (("check", "ok", self._works), ("cloud_off", "ink2", self._works_not)):
            line = row(gap=14)
            line.addWidget(Icon(icon, 24, tint), 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(text, 1)
            inside.addLayout(line)
        inside.addWidget(self._problem)
        inside.addStretch(1)
        inside.addWidget(self._where)
        works.setLayout(inside)
        both = row(gap=20)
        both.addWidget(waiting, 3)
        both.addWidget(works, 2)
        whole = column(gap=20, margins=(24, 20, 24, 25))
        whole.addWidget(top)
        whole.addLayout(both, 1)
        self.setLayout(whole)
        self.send.clicked.connect(self._send)

    def refresh(self) -> None:
        """Draw the station's picture again."""
        self.show_screen(self.station.screen())

    def show_screen(self, screen: SyncDetailsScreen) -> None:
        """Draw one picture."""
        icon, tint, words = heading(screen)
        self._icon.show_icon(icon, tint)
        self._state.say(words)
        if screen.heard_at is None:
            self._heard.say(tr("The hub has not answered yet."))
        elif screen.is_heard:
            self._heard.say(tr("The hub answered just now."))
        else:
            ago = length(screen.now - screen.heard_at)
            self._heard.say(tr("The hub last answered at {time}, {ago} ago.", time=clock(screen.heard_at), ago=ago))
        self.send.say(tr("Send now"))
        self.send.setEnabled(screen.can_send)
        self._waiting_title.say(tr("Saved here, not yet sent"))
        self._oldest.say(tr("oldest from {time}", time=clock(screen.oldest_at)) if screen.oldest_at else "")
        unsent = {lane.lane: lane.unsent for lane in screen.lanes}
        for lane, (label, value) in self._lanes.items():
            label.say(LANES[lane]())
            value.say(number(unsent.get(lane.value, 0)))
        self._works_title.say(tr("Without the hub"))
        self._works.say(tr("Works: recording, checks, and holds on this line."))
        self._works_not.say(tr("Waits: other lines, new work orders and releases."))
        self._problem.say(_problem(screen))
        self._problem.setVisible(bool(self._problem.text()))
        where = [part for part in (screen.terminal, screen.hub) if part]
        self._where.say(" · ".join(where))

    def _send(self) -> None:
        self.station.send_now()
        self.tell(tr("Trying to send now"), "ok")


def _problem(screen: SyncDetailsScreen) -> str:
    if screen.problem == "revoked":
        return tr("This terminal was revoked. Records made here are kept and handed in, but flagged.")
    if screen.needs_help:
        return tr("A supervisor must look at {n} records in Sync health.", n=number(screen.needs_help))
    if screen.problem and not screen.is_heard:
        return SyncError(screen.problem).sentence
    return ""
