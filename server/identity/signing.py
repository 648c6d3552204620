"""Who may sign what: a person, with all components at first, and QA's meanings only by QA.

The components themselves are checked in one place, ``sign_in.PinOrPassword``.
"""

from __future__ import annotations

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.rules import part11
from server.core.actor import Actor, ActorKind
from server.core.esign import Credentials, Meaning
from server.identity import people, sign_in

QA_MEANINGS = frozenset(Meaning(each) for each in part11.NEED_SERVER)
QA = "QM"


class Signatory:
    """The signer behind the application's ``esign.Signer``.

    Args:
        secret: the server's own, under which second factors are sealed.
    """

    def __init__(self, secret: bytes) -> None:
        self._proof, self._secret = sign_in.PinOrPassword(), secret

    async def check(
        self,
        db: AsyncSession,
        actor: Actor,
        credentials: Credentials,
        meaning: Meaning,
        plant_id: uuid.UUID | None,
        *,
        all_components: bool,
    ) -> None:
        """Let a signature pass only with the actor's own components.

        The session names the signer; the password, with a code of who has a second factor, completes it at
        the first signing, the PIN is enough while a series goes on (21 CFR 11.200(a)(1)(i)).

        Raises:
            NotAllowed: `signature_needs_person` for a device or program, `signature_not_qa` for a tenant
                admin who is not QA, `signature_password_needed`, `signature_failed`, `totp_needed`, `totp_wrong`,
                `sign_in_locked`.
        """
        if actor.kind is not ActorKind.user or actor.id is None or actor.device_id is not None:
            raise NotAllowed("signature_needs_person")
        if meaning in QA_MEANINGS:
            await _refuse_admin(db, actor.id, plant_id)
        if all_components:
            if credentials.password is None:
                raise NotAllowed("signature_password_needed")
            credentials = credentials.model_copy(update={"pin": None})
        await self._proof.check(db, actor, credentials)
        if all_components:
            await sign_in.check_totp(db, actor, self._secret, credentials.totp)


async def _refuse_admin(db: AsyncSession, user_id: uuid.UUID, plant_id: uuid.UUID | None) -> None:
    held = (await people.roles_of(db, [user_id], db.info["clock"].now())).get(user_id, [])
    is_qa = any(role.key == QA and plant in (None, plant_id) for role, plant in held)
    if not is_qa and any(role.key == people.ADMIN for role, _ in held):
        raise NotAllowed("signature_not_qa")
