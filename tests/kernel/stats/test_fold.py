from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from foodflow_kernel.missing import Missing
from foodflow_kernel.stats.fold import Element, ExplainedStop, Fold, LineStateName, Span, StateEvent, fold
from foodflow_kernel.stats.oee import Oee, Run, components, oee

D = Decimal
DAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(clock: str) -> datetime:
    hour, minute, *second = (int(part) for part in clock.split(":"))
    return DAY + timedelta(hours=hour, minutes=minute, seconds=second[0] if second else 0)


SHIFT = Span(at("06:00"), at("14:00"))
SCRIPT = (
    "06:00 running, 07:10 down, 07:38 running, 09:00 planned_down, 09:30 running, 11:00 setup, "
    "11:15 running, 12:00 starved, 12:12 running, 13:40 planned_down"
)


def events(script: str, device: str = "T-07", first: int = 1) -> list[StateEvent]:
    found = []
    for seq, part in enumerate(script.split(", "), start=first):
        clock, state = part.split()
        found.append(StateEvent(at(clock), LineStateName(state), (device, "i", 1, seq)))
    return found


def minutes(folded: Fold, element: Element) -> Decimal:
    return folded.total_s(element) / 60


def figures(folded: Fold, pq: int = 20_250, gq: int = 19_845) -> Oee:
    result = oee([components(folded, [Run(D(1), pq, gq)])])
    assert isinstance(result, Oee)
    return result


def test_a_shift_folds_into_its_time_elements() -> None:
    folded = fold(events(SCRIPT), SHIFT)
    elements = (Element.apt, Element.adot, Element.aust, Element.adet, Element.planned)
    assert [minutes(folded, e) for e in elements] == [375, 28, 15, 12, 50]
    running = [i.seconds / 60 for i in folded.intervals if i.element is Element.apt]
    assert running == [70, 82, 90, 45, 88]
    result = figures(folded)
    assert result.total.pbt_s / 60 == 430
    assert round(result.oee, 6) == 0.769186
    assert folded.flags == ()


def test_a_late_stop_moves_availability_but_not_oee() -> None:
    folded = fold([*events(SCRIPT), *events("08:00 down, 08:05 running", first=11)], SHIFT)
    assert minutes(folded, Element.apt) == 370
    assert minutes(folded, Element.adot) == 33
    result = figures(folded)
    assert round(result.availability or 0, 6) == 0.860465
    assert round(result.effectiveness or 0, 6) == 0.912162
    assert round(result.oee, 6) == 0.769186
    assert folded.input_hash != fold(events(SCRIPT), SHIFT).input_hash


def test_a_micro_stop_stays_production_time() -> None:
    folded = fold([*events(SCRIPT), *events("08:00 down, 08:01:30 running", first=11)], SHIFT)
    assert minutes(folded, Element.apt) == 375
    assert (folded.microstops, folded.microstop_s) == (1, 90)


def test_a_stop_of_exactly_the_limit_is_a_stop() -> None:
    folded = fold([*events(SCRIPT), *events("08:00 down, 08:02 running", first=11)], SHIFT)
    assert minutes(folded, Element.apt) == 373
    assert folded.microstops == 0


@pytest.mark.parametrize("turn", range(1, 10, 2))
def test_any_order_and_any_repetition_gives_the_same_fold(turn: int) -> None:
    given = events(SCRIPT)
    shuffled = [*given[turn:], *given[:turn][::-1], *given[3:7]]
    assert fold(shuffled, SHIFT) == fold(given, SHIFT)


def test_silence_counts_as_down_and_is_flagged() -> None:
    folded = fold(events("06:00 running"), SHIFT, unheard=[Span(at("10:00"), at("10:20"))])
    assert minutes(folded, Element.adot) == 20
    assert folded.flags == ("NO_DATA",)
    assert figures(folded).flags == ("NO_DATA",)
    assert [i.state for i in folded.intervals] == ["running", "unknown", "running"]


def test_a_window_without_any_event_is_no_data_and_never_running() -> None:
    folded = fold([], SHIFT)
    assert minutes(folded, Element.adot) == 480
    assert folded.flags == ("NO_DATA",)


def test_the_state_before_the_window_holds_at_its_start() -> None:
    folded = fold(events("05:00 running, 05:30 setup, 06:10 running"), SHIFT)
    assert minutes(folded, Element.aust) == 10
    assert folded.flags == ()


def test_a_reason_moves_a_stop_to_its_element_and_leaves_running_alone() -> None:
    stop = ExplainedStop(at("07:05"), at("07:38"), "starved")
    folded = fold(events(SCRIPT), SHIFT, stops=[stop])
    assert minutes(folded, Element.adet) == 40
    assert minutes(folded, Element.adot) == 0
    assert minutes(folded, Element.apt) == 375


def test_a_planned_reason_leaves_the_busy_time() -> None:
    stop = ExplainedStop(at("07:10"), at("07:38"), "cleaning", is_planned=True)
    folded = fold(events(SCRIPT), SHIFT, stops=[stop])
    assert minutes(folded, Element.planned) == 78
    assert figures(folded).total.pbt_s / 60 == 402


def test_two_terminals_that_disagree_are_flagged() -> None:
    other = StateEvent(at("07:10:03"), LineStateName.setup, ("T-08", "i", 1, 1))
    assert fold([*events(SCRIPT), other], SHIFT).flags == ("STATE_CONFLICT",)


@pytest.mark.parametrize(
    "script", [SCRIPT, "06:00 down", "07:00 idle, 09:13:07 running", "05:00 blocked, 13:59:59 trial"]
)
def test_intervals_tile_the_window(script: str) -> None:
    folded = fold(events(script), SHIFT, unheard=[Span(at("09:10"), at("09:20")), Span(at("13:55"), at("15:00"))])
    assert folded.intervals[0].from_at == SHIFT.from_at
    assert folded.intervals[-1].to_at == SHIFT.to_at
    ends = [i.to_at for i in folded.intervals[:-1]]
    assert ends == [i.from_at for i in folded.intervals[1:]]


def test_an_empty_window_is_missing_not_zero() -> None:
    folded = fold(events(SCRIPT), Span(SHIFT.from_at, SHIFT.from_at))
    assert oee([components(folded, [])]) == Missing("no_busy_time")
