"""How far a lot reaches: exposure and dilution over a graph of lots and batches.

Any contact taints the whole receiving lot: exposure decides the scope. The share says how
much of the seed is expected in a node; it informs and never shrinks the scope. Source of the
method: formulas_ops_fsq.md, section 10 (forward scope).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from foodflow_kernel.errors import Invalid
from foodflow_kernel.units import Quantity, Uom, convert


@dataclass(frozen=True, slots=True)
class Edge:
    """Material went from one node to another."""

    source: str
    target: str
    amount: Quantity


@dataclass(frozen=True, slots=True)
class Scope:
    """What a seed reaches.

    Args:
        reached: every node with any contact, in an order in which sources come first.
        share: expected part of the seed in the node's input [1]; None where the inputs
            cannot be added (pieces without a mass).
        has_cycle: the records run in a circle; its nodes are reached, without a share.
    """

    reached: tuple[str, ...]
    share: Mapping[str, float | None]
    has_cycle: bool


def forward(edges: Sequence[Edge], seeds: Collection[str]) -> Scope:
    """Everything that a seed's material went into, however little.

    >>> kg = lambda n: Quantity(Decimal(n), Uom.KGM)
    >>> found = forward([Edge("A", "M", kg(600)), Edge("B", "M", kg(200)), Edge("M", "FG", kg(480))], ["A"])
    >>> found.reached, found.share["FG"]
    (('A', 'M', 'FG'), 0.75)
    """
    out: dict[str, list[Edge]] = defaultdict(list)
    into: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        out[edge.source].append(edge)
        into[edge.target].append(edge)
    reached = _reachable(out, seeds)
    ordered, rest = _in_order(reached, out, into)
    share: dict[str, float | None] = {}
    for node in ordered:
        share[node] = 1.0 if node in seeds else _share(into[node], share)
    share |= dict.fromkeys(rest)
    return Scope(tuple(ordered + rest), share, has_cycle=bool(rest))


def backward(edges: Sequence[Edge], seeds: Collection[str]) -> tuple[str, ...]:
    """Everything that went into the seeds, nearest first."""
    into: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        into[edge.target].append(Edge(edge.target, edge.source, edge.amount))
    return tuple(_reachable(into, seeds))


def _reachable(out: Mapping[str, Sequence[Edge]], seeds: Collection[str]) -> list[str]:
    found = dict.fromkeys(seeds)
    queue = list(found)
    for node in queue:
        for edge in out.get(node, ()):
            if edge.target not in found:
                found[edge.target] = None
                queue.append(edge.target)
    return queue


def _in_order(
    reached: Sequence[str], out: Mapping[str, Sequence[Edge]], into: Mapping[str, Sequence[Edge]]
) -> tuple[list[str], list[str]]:
    """Topological order of the reached nodes, and those on or behind a cycle."""
    inside = set(reached)
    waiting = {node: sum(edge.source in inside for edge in into.get(node, ())) for node in reached}
    ready = [node for node in reached if waiting[node] == 0]
    for node in ready:
        for edge in out.get(node, ()):
            waiting[edge.target] -= 1
            if waiting[edge.target] == 0:
                ready.append(edge.target)
    done = set(ready)
    return ready, [node for node in reached if node not in done]


def _share(inputs: Sequence[Edge], share: Mapping[str, float | None]) -> float | None:
    weighed = [(share.get(edge.source, 0.0), mass) for edge in inputs if (mass := _mass_kg(edge.amount)) is not None]
    if not weighed:
        known = [share.get(edge.source, 0.0) for edge in inputs]
        return known[0] if len(known) == 1 else None
    if any(part is None for part, _ in weighed):
        return None
    whole = sum((mass for _, mass in weighed), Decimal(0))
    part = sum((Decimal(part) * mass for part, mass in weighed if part), Decimal(0))
    return float(part / whole) if whole > 0 else None


def _mass_kg(amount: Quantity) -> Decimal | None:
    """Mass [kg]; None for pieces and volumes, which need an item factor."""
    try:
        return convert(amount, Uom.KGM).value
    except Invalid:
        return None
