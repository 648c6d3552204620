"""``foodflow-server backup``, ``restore`` and ``drill``: what an administrator does with backups, in words."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError, Invalid, Refused
from server.core import audit_check, seals
from server.core.actor import system
from server.core.backup import beside, folder, restoring
from server.core.backup.folder import Backup, Place
from server.core.backup.restoring import Restored
from server.core.db.sessions import Database, TenantRef
from server.core.settings import Settings
from server.sync import hello, safe, terminals
from server.sync import verify as chains


def place_of(settings: Settings) -> Place:
    """Where backups of these settings are.

    Raises:
        Refused: `backup_external`, `backup_off`.
    """
    if settings.database_url:
        raise Refused("backup_external")
    if not settings.backup:
        raise Refused("backup_off")
    return folder.place_of(settings)


async def take(database: Database, settings: Settings, clock: Clock) -> int:
    """Take a backup, verify it, and say so."""
    place = place_of(settings)
    with folder.busy(place):
        made, found = await safe.take(database, place, clock, settings.backup_keep)
    sys.stdout.write(f"{made.name}: {_mb(made.size_bytes)} MB, verified; {found.rows} rows of terminals are safe\n")
    return 0


async def verify(database: Database, settings: Settings, clock: Clock, name: str) -> int:
    """Verify a backup with all of the log, and say so."""
    place = place_of(settings)
    with folder.busy(place):
        made, found = await safe.verify(database, place, clock, folder.find(place, name))
    sys.stdout.write(f"{made.name}: verified; {found.rows} rows of terminals are safe\n")
    return 0


def listed(settings: Settings) -> int:
    """Print the backups, oldest first; 1 if the newest is not verified."""
    there = folder.listed(place_of(settings))
    for each in there:
        sys.stdout.write(f"{each.name}  {_mb(each.size_bytes):>8} MB  {_standing(each)}\n")
    if not there:
        sys.stdout.write("There is no backup yet.\n")
    return 0 if there and there[-1].verified_at is not None and not there[-1].has_failed else 1


def _standing(backup: Backup) -> str:
    if backup.has_failed:
        return f"FAILED {_instant(backup.failed_at)}: {backup.why}"
    return f"verified {_instant(backup.verified_at)}" if backup.verified_at else "not verified"


async def restore(settings: Settings, name: str, into: Path, at: str | None) -> int:
    """Make a new data folder of a backup, and say what to do next; 1 if the log has a hole."""
    place = place_of(settings)
    folder.ready(place)
    wanted = _parsed(at)
    with folder.busy(place):
        backup = folder.find(place, name, wanted)
        made = await restoring.restore(place, backup, into, wanted)
    sys.stdout.write(_NEXT.format(name=backup.name, into=made.folder, tenants=len(made.tenants), wal=made.replayed_to))
    if not (made.folder / "secret.key").exists():
        sys.stdout.write("The backup holds no secret.key: give FOODFLOW_SECRET_KEY as it was.\n")
    if made.missing is not None:
        sys.stderr.write(
            f"The log ends too early: segment {made.missing} is missing or damaged. What came after is not in it.\n"
        )
        return 1
    return 0


_NEXT = """\
{name} is restored in {into} (log up to {wal}, {tenants} companies). Next:
1. Stop the old server if it still runs: two servers must never serve the same terminals.
2. Bring attachments back: the folder files of the old data folder, unless they are in an object store.
3. Keep anchors/ of the old data folder with the records of this restore; here they go on from the backup's.
4. Start it: foodflow-server --data-folder {into} serve
5. Watch Sync health: each terminal sends again what this server has not.
"""


def _parsed(at: str | None) -> datetime | None:
    """An instant as a person types it, always with its zone.

    Raises:
        Invalid: `restore_time_bad`.
    """
    if at is None:
        return None
    try:
        wanted = datetime.fromisoformat(at)
    except ValueError as error:
        raise Invalid("restore_time_bad", at=at) from error
    if wanted.tzinfo is None:
        raise Invalid("restore_time_bad", at=at)
    return wanted.astimezone(UTC)


@dataclass(slots=True)
class Drill:
    """The table of a drill: what was done, seconds, and what was found."""

    lines: list[tuple[str, float, str]] = field(default_factory=list)
    bad: int = 0

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Time a step; what is said in it stands beside."""
        said: list[str] = []
        began = time.perf_counter()
        yield said
        self.lines.append((what, time.perf_counter() - began, "; ".join(said) or "good"))

    def text(self) -> str:
        """The table."""
        return "".join(f"{what:<36} {took_s:>8.1f} s  {said}\n" for what, took_s, said in self.lines)


async def drill(database: Database, settings: Settings, clock: Clock) -> int:
    """Take, verify, restore, start and look at everything; 1 if anything is not as in the live server."""
    place = place_of(settings)
    made = Drill()
    try:
        with folder.busy(place):
            await _drilled(database, place, settings, clock, made)
    except FoodFlowError as error:
        made.bad += 1
        made.lines.append(("stopped", 0.0, error.sentence))
    sys.stdout.write(made.text())
    sys.stdout.write("The drill FAILED.\n" if made.bad else "The drill went well: this backup can be relied on.\n")
    return 1 if made.bad else 0


async def _drilled(database: Database, place: Place, settings: Settings, clock: Clock, made: Drill) -> None:
    with made.step("take and verify") as said:
        backup, found = await safe.take(database, place, clock, settings.backup_keep)
        said.append(f"{backup.name}, {_mb(backup.size_bytes)} MB, {found.rows} rows of terminals")
    async with beside.workshop(place) as workshop:
        with made.step("restore") as said:
            restored: Restored = await restoring.restore(place, backup, workshop / "restored")
            said.append(f"log up to {restored.replayed_to}")
            if restored.missing is not None:
                made.bad += 1
                said.append(f"segment {restored.missing} is missing")
        async with beside.running(restored.folder / "postgres", database.cluster.secret) as cluster:
            copy = Database(cluster, clock)
            try:
                for tenant in await copy.tenants():
                    if safe.has_rows(tenant):
                        await _look(copy, tenant, restored.folder, found.lanes.get(tenant.id, {}), made)
            finally:
                await copy.close()


async def _look(copy: Database, tenant: TenantRef, data_folder: Path, lanes: safe.Lanes, made: Drill) -> None:
    """Chains and audit trail of one company, and that no lane is shorter than what is called safe."""
    keys = {each.device_id: each.public_key for each in await terminals.of_tenant(copy, tenant.id)}
    anchors = seals.read_anchors(seals.anchor_file(data_folder, tenant))
    async with copy.tenant_session(tenant.id, system(tenant.id, "foodflow-server")) as db:
        with made.step(f"{tenant.slug}: terminals") as said:
            there = await chains.verify(db, keys)
            said.append(f"{there.rows} rows, {there.lanes} lanes, {len(there.findings)} bad")
            said.extend(each.sentence for each in there.findings)
            made.bad += len(there.findings)
            for (device, life, lane), seq in lanes.items():
                head = (await hello.heads(db, device, life)).get(lane)
                if head is None or head[0] < seq:
                    made.bad += 1
                    said.append(f"terminal {device}, lane {lane}: row {seq} is not there")
        with made.step(f"{tenant.slug}: audit trail") as said:
            trail = await audit_check.verify(db, anchors)
            said.append(f"{trail.rows} rows, {trail.seals} seals, {trail.anchors} anchors")
            if trail.finding is not None:
                made.bad += 1
                said.append(trail.finding.sentence)


def _mb(size_bytes: int) -> int:
    return (size_bytes + (1 << 20) - 1) >> 20


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "-"
