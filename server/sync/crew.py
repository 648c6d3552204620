"""Master data about the terminal itself and the people who may sign in at it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines.identity import UserState
from foodflow_kernel.wire import master, pin
from server.identity import people
from server.identity.models import User
from server.plant_ops.models import Equipment, Sensor
from server.sync.stored import Terminal


async def users(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal) -> list[master.Entity]:
    """People with a role at this plant, each with a verifier that only this terminal can use.

    Somebody locked or disabled is still told of, without verifier or rights: revocation must arrive.
    """
    question = select(User).order_by(User.id)
    question = question.where(people.may_go_on()) if ids is None else question.where(User.id.in_(ids))
    rows = (await db.scalars(question)).all()
    held = await people.roles_of(db, [row.id for row in rows], db.info["clock"].now())
    drawn: list[master.Entity] = []
    for row in rows:
        roles = [role for role, plant in held.get(row.id, []) if plant is None or plant == terminal.plant_id]
        is_active = row.may_go_on  # wrong passwords, maybe a stranger's, close no terminal
        if is_active and not roles:
            continue
        drawn.append(
            master.User(
                id=row.id,
                login_code=row.login_code,
                short_no=row.short_no,
                printed_name=row.printed_name,
                names=row.names,
                roles=tuple(sorted({role.key for role in roles})) if is_active else (),
                permissions=tuple(sorted({code for role in roles for code in role.permissions})) if is_active else (),
                pin_hash=pin.for_device(row.pin_base, terminal.pepper)
                if is_active and row.pin_base and not row.is_pin_one_use
                else "",
                status=UserState.active if is_active else row.status,
                locale=row.locale,
            )
        )
    return drawn


async def terminal_itself(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal
) -> list[master.Entity]:
    """The terminal's name and place, and the instruments of its line."""
    if ids is not None and terminal.device_id not in ids:
        return []
    devices = select(Equipment.id, Equipment.equipment_class).where(
        Equipment.line_id == terminal.line_id, Equipment.retired_at.is_(None)
    )
    sensors = select(Sensor.id).where(Sensor.line_id == terminal.line_id, Sensor.retired_at.is_(None))
    instruments = [(row_id, kind) for row_id, kind in await db.execute(devices.order_by(Equipment.tag))]
    scales = [row_id for row_id, kind in instruments if kind == "scale"]
    return [
        master.Terminal(
            id=terminal.device_id,
            name=terminal.name,
            plant_id=terminal.plant_id,
            line_id=terminal.line_id,
            area=terminal.area,
            scale_id=scales[0] if scales else None,
            probe_ids=tuple(row_id for row_id, kind in instruments if kind == "probe"),
            sensor_ids=tuple(await db.scalars(sensors.order_by(Sensor.tag))),
        )
    ]
