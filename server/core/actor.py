"""Who acts: a person, a terminal on behalf of a person, a program with a key, or the system itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from foodflow_kernel.errors import NotAllowed


class ActorKind(StrEnum):
    """What kind of actor this is."""

    user = "user"
    device = "device"
    apikey = "apikey"
    system = "system"
    platform = "platform"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone with rights in one tenant.

    Args:
        id: the user, or the device when no person acted; None for the system.
        permissions: effective codes ``context.noun.verb``, of all plants together.
        plant_ids: plants the rights are limited to; None means all plants of the tenant.
        rights: plant to codes held there, None to codes held everywhere; None: ``permissions`` hold
            at every plant of ``plant_ids``.
        device_id: the terminal the act came through, if any.
        reads_only: holds nothing but rights to read: sessions use a login of the database that cannot write.
        session_id: the sign-in the act came through; signatures in a row are within one.
    """

    kind: ActorKind
    tenant_id: uuid.UUID
    id: uuid.UUID | None = None
    name: str = ""
    permissions: frozenset[str] = field(default_factory=frozenset)
    plant_ids: frozenset[uuid.UUID] | None = None
    device_id: uuid.UUID | None = None
    rights: Mapping[uuid.UUID | None, frozenset[str]] | None = None
    reads_only: bool = False
    session_id: uuid.UUID | None = None

    def person(self) -> uuid.UUID:
        """The id of the person who acts.

        Raises:
            NotAllowed: `person_needed` for a terminal, a program or the system.
        """
        if self.kind is not ActorKind.user or self.id is None:
            raise NotAllowed("person_needed")
        return self.id

    def may(self, code: str, plant_id: uuid.UUID | None = None) -> bool:
        """Whether the actor holds a permission, at a plant if one is named; the system holds all."""
        if self.kind is ActorKind.system:
            return True
        if self.rights is None or plant_id is None:
            return code in self.permissions
        return code in self.rights.get(None, ()) or code in self.rights.get(plant_id, ())

    def require(self, code: str, plant_id: uuid.UUID | None = None) -> None:
        """Stop an actor without the permission.

        Raises:
            NotAllowed: `permission_missing`, naming the code.
        """
        if not self.may(code, plant_id):
            raise NotAllowed("permission_missing", permission=code)

    def require_at(self, code: str, plant_id: uuid.UUID | None) -> None:
        """Stop an actor who may not change what is at a plant, or, without one, what all plants share.

        A right that is held at one plant is none over what the whole company uses.

        Raises:
            NotAllowed: `permission_missing`, naming the code.
        """
        self.require(code, plant_id)
        if plant_id is None and self.plants_with(code) is not None:
            raise NotAllowed("permission_missing", permission=code)

    def plants_with(self, code: str) -> frozenset[uuid.UUID] | None:
        """The plants where the actor holds a permission; None means all of them."""
        if self.rights is None or self.kind is ActorKind.system:
            return self.plant_ids
        if code in self.rights.get(None, ()):
            return None
        return frozenset(plant for plant, codes in self.rights.items() if plant is not None and code in codes)

    def sees(self, plant_id: uuid.UUID | None) -> bool:
        """Whether a row of this plant is within the actor's scope."""
        return plant_id is None or self.plant_ids is None or plant_id in self.plant_ids


def system(tenant_id: uuid.UUID, name: str = "system") -> Actor:
    """The system itself, in one tenant: migrations, seeds, schedulers."""
    return Actor(ActorKind.system, tenant_id, name=name)
