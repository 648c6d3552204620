from decimal import Decimal

from foodflow_kernel.units import Quantity, Uom
from server.analytics.trace import Edge, backward, forward


def kg(value: int) -> Quantity:
    return Quantity(Decimal(value), Uom.KGM)


EDGES = [
    Edge("A", "M1", kg(600)),
    Edge("B", "M1", kg(200)),
    Edge("A", "M2", kg(300)),
    Edge("C", "M2", kg(300)),
    Edge("M1", "FG1", kg(480)),
    Edge("M1", "FG2", kg(300)),
    Edge("M1", "scrap1", kg(20)),
    Edge("M2", "FG3", kg(590)),
    Edge("M2", "scrap2", kg(10)),
]


def test_forward_scope_exposes_whole_lots_and_keeps_the_balance_of_the_seed() -> None:
    scope = forward(EDGES, ["A"])
    made = {edge.target: edge.amount.value for edge in EDGES}
    assert sum(made[node] for node in scope.reached if node.startswith("FG")) == 1370
    assert (scope.share["M1"], scope.share["M2"]) == (0.75, 0.5)

    def expected(kind: str) -> float:
        return sum(float(made[node]) * (scope.share[node] or 0) for node in scope.reached if node.startswith(kind))

    assert expected("FG") == 880
    assert expected("scrap") == 20
    assert expected("FG") + expected("scrap") + 100 == 1000
    assert not scope.has_cycle


def test_forward_leaves_out_what_had_no_contact() -> None:
    assert set(forward(EDGES, ["C"]).reached) == {"C", "M2", "FG3", "scrap2"}


def test_backward_finds_every_input() -> None:
    assert backward(EDGES, ["FG1"]) == ("FG1", "M1", "A", "B")


def test_a_cycle_is_reached_once_and_named() -> None:
    scope = forward([Edge("A", "B", kg(1)), Edge("B", "C", kg(1)), Edge("C", "B", kg(1))], ["A"])
    assert set(scope.reached) == {"A", "B", "C"}
    assert scope.has_cycle
    assert scope.share["C"] is None


def test_pieces_do_not_dilute_a_mass() -> None:
    cups = Quantity(Decimal(4800), Uom.H87)
    scope = forward([Edge("A", "M", kg(30)), Edge("B", "M", kg(90)), Edge("cup", "M", cups)], ["A"])
    assert scope.share["M"] == 0.25


def test_a_pallet_of_one_lot_has_the_share_of_the_lot() -> None:
    cups = Quantity(Decimal(48), Uom.H87)
    scope = forward([*EDGES, Edge("FG1", "PAL", cups)], ["A"])
    assert scope.share["PAL"] == 0.75
