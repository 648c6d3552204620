"""Who acts: a person, a terminal on behalf of a person, or the system itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from foodflow_kernel.errors import NotAllowed


class ActorKind(StrEnum):
    """What kind of actor this is."""

    user = "user"
    device = "device"
    system = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone with rights in one tenant.

    Args:
        id: the user, or the device when no person acted; None for the system.
        permissions: effective codes ``context.noun.verb``.
        plant_ids: plants the rights are limited to; None means all plants of the tenant.
        device_id: the terminal the act came through, if any.
    """

    kind: ActorKind
    tenant_id: uuid.UUID
    id: uuid.UUID | None = None
    name: str = ""
    permissions: frozenset[str] = field(default_factory=frozenset)
    plant_ids: frozenset[uuid.UUID] | None = None
    device_id: uuid.UUID | None = None

    def may(self, code: str) -> bool:
        """Whether the actor holds a permission; the system holds all."""
        return self.kind is ActorKind.system or code in self.permissions

    def require(self, code: str) -> None:
        """Stop an actor without the permission.

        Raises:
            NotAllowed: `permission_missing`, naming the code.
        """
        if not self.may(code):
            raise NotAllowed("permission_missing", permission=code)

    def sees(self, plant_id: uuid.UUID | None) -> bool:
        """Whether a row of this plant is within the actor's scope."""
        return plant_id is None or self.plant_ids is None or plant_id in self.plant_ids


def system(tenant_id: uuid.UUID, name: str = "system") -> Actor:
    """The system itself, in one tenant: migrations, seeds, schedulers."""
    return Actor(ActorKind.system, tenant_id, name=name)
