"""One line of the ledger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A promise and the test that fails when it is broken.

    Args:
        subject: the model, or the endpoint's topic.
        says: the promise. A move is ``<machine>: <from> <move> <to>``, an endpoint ``<METHOD> <path>``.
        by: what holds it: check, unique, exclusion, foreign key, trigger, grant, machine, verb, transaction,
            permission, route.
        test: as pytest names it, without the parameters.
    """

    subject: str
    says: str
    by: str
    test: str
