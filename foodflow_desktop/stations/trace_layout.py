"""Where the boxes of a trace graph stand: five columns from supplier to customer.

Pure arithmetic in rows, not pixels. A box stands at the mean of the boxes it leads to, so that
lines cross little, and boxes of one column keep one row between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foodflow_kernel.wire.reports import TraceEdge, TraceNode

COLUMNS = 5


@dataclass(frozen=True, slots=True)
class Placed:
    """One box: its column and the row of its centre, 0 at the top; rows may be fractions."""

    node: TraceNode
    row: float


def place(nodes: Sequence[TraceNode], edges: Sequence[TraceEdge]) -> tuple[Placed, ...]:
    """Give every node a row; the order of columns and of boxes is stable for the same input."""
    by_id = {node.id: node for node in nodes}
    leads_to: dict[str, list[str]] = {node.id: [] for node in nodes}
    for edge in edges:
        if edge.source in by_id and edge.target in by_id and edge.target not in leads_to[edge.source]:
            leads_to[edge.source].append(edge.target)
    order = _walk(nodes, leads_to)
    rows: dict[str, float] = {}
    for column in reversed(range(COLUMNS)):
        members = sorted((node for node in nodes if node.column == column), key=lambda node: order[node.id])
        _place_column(members, leads_to, rows, order)
    top = min(rows.values(), default=0.0)
    return tuple(Placed(node, rows[node.id] - top) for node in sorted(nodes, key=lambda n: (n.column, rows[n.id])))


def _walk(nodes: Sequence[TraceNode], leads_to: dict[str, list[str]]) -> dict[str, int]:
    """Position of each node in a depth-first walk from the left: neighbours stay together."""
    order: dict[str, int] = {}

    def visit(node_id: str) -> None:
        if node_id in order:
            return
        order[node_id] = len(order)
        for target in leads_to[node_id]:
            visit(target)

    for node in sorted(nodes, key=lambda node: node.column):
        visit(node.id)
    return order


def _place_column(
    members: Sequence[TraceNode], leads_to: dict[str, list[str]], rows: dict[str, float], order: dict[str, int]
) -> None:
    """Rows of one column: the mean of what each box leads to, pushed apart to one row each."""
    wished: list[tuple[float, TraceNode]] = []
    for node in members:
        targets = [rows[target] for target in leads_to[node.id] if target in rows]
        if targets:
            wished.append((sum(targets) / len(targets), node))
        else:
            wished.append((_beside(node, rows, order), node))
    last = None
    for wish, node in sorted(wished, key=lambda pair: (pair[0], order[pair[1].id])):
        row = wish if last is None else max(wish, last + 1.0)
        rows[node.id] = last = row


def _beside(node: TraceNode, rows: dict[str, float], order: dict[str, int]) -> float:
    """A box that leads nowhere goes below what was walked before it."""
    before = [row for other, row in rows.items() if order[other] < order[node.id]]
    return max(before, default=-1.0) + 1.0
