"""Closing a site: nothing of it may be left open in any context."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.fsq import DeviationState, HoldState, LotState
from foodflow_kernel.machines.places import PLANT
from foodflow_kernel.machines.plant_ops import BatchState
from server.core.models import Plant
from server.core.places import Reason
from server.fsq.models import Deviation, Lot, LotHold
from server.plant_ops.models import ProductionBatch

_BATCHES_OVER = (BatchState.reviewed, BatchState.closed, BatchState.aborted, BatchState.cancelled, BatchState.planned)
_DEVIATIONS_OVER = (DeviationState.closed, DeviationState.void)
_LOTS_GONE = (LotState.depleted, LotState.disposed, LotState.expected)


async def close(db: AsyncSession, plant: Plant, _command: Reason) -> Plant:
    """Close a suspended site for good.

    Raises:
        IllegalMove: it is not suspended.
        Refused: `plant_in_use`, saying how many batches, holds, lots and deviations are open.
    """
    state = PLANT.move(plant.state, "close")
    questions = {
        "batches": select(func.count()).where(
            ProductionBatch.plant_id == plant.id, ProductionBatch.status.not_in(_BATCHES_OVER)
        ),
        "holds": select(func.count()).where(LotHold.plant_id == plant.id, LotHold.state == HoldState.open),
        "lots": select(func.count()).where(Lot.plant_id == plant.id, Lot.status.not_in(_LOTS_GONE)),
        "deviations": select(func.count()).where(
            Deviation.plant_id == plant.id, Deviation.state.not_in(_DEVIATIONS_OVER)
        ),
    }
    found = {name: await db.scalar(question) or 0 for name, question in questions.items()}
    if any(found.values()):
        raise Refused("plant_in_use", **found)
    plant.state = state
    return plant
