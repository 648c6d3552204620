"""Plants, locations, contacts, addresses."""

from __future__ import annotations

from tests.ledger.row import Row

PLACES = "tests/server/core/test_places.py"

ROWS: tuple[Row, ...] = (
    Row(
        "Location",
        "two of one plant never share a code",
        "unique",
        f"{PLACES}::test_a_code_is_one_places_only_at_its_plant",
    ),
    Row(
        "Location",
        "its path is the codes from the root, and what lies in it moves along",
        "trigger",
        f"{PLACES}::test_a_place_knows_its_way_from_the_root_and_takes_what_lies_in_it_along",
    ),
    Row(
        "Location",
        "it lies not in itself, nor in another plant's place",
        "trigger",
        f"{PLACES}::test_a_place_lies_not_in_itself_nor_in_another_plants_place",
    ),
    Row(
        "Location",
        "what holds places does not go; nothing comes into what is gone",
        "trigger",
        f"{PLACES}::test_a_place_goes_when_nothing_lies_in_it_and_then_nothing_comes_into_it",
    ),
    Row(
        "Plant",
        "a plant that was used is retired only when it is closed",
        "verb",
        f"{PLACES}::test_a_plant_where_something_was_done_goes_only_when_it_is_closed",
    ),
    Row(
        "Plant",
        "the time zone waits for a first batch that is just being made",
        "trigger",
        f"{PLACES}::test_the_time_zone_waits_for_a_first_batch_that_is_just_being_made",
    ),
    Row(
        "Address",
        "a retired address makes room and is not followed",
        "exclusion",
        f"{PLACES}::test_an_address_that_was_retired_makes_room_and_is_not_followed",
    ),
    Row("Location", "two moves at once make no circle", "trigger", f"{PLACES}::test_two_moves_at_once_make_no_circle"),
    Row(
        "Location",
        "kind, temperature class, temperatures, capacity, country, coordinates and phone are possible ones",
        "check",
        f"{PLACES}::test_a_place_that_cannot_be_is_refused",
    ),
    Row(
        "Location",
        "a root or external place has its whole description (21 CFR 1.1310)",
        "check",
        f"{PLACES}::test_a_root_needs_each_part_of_its_description",
    ),
    Row("Location", "an external place is a party's", "check", f"{PLACES}::test_a_place_that_cannot_be_is_refused"),
    Row(
        "Location", "location: active block blocked", "machine", f"{PLACES}::test_a_place_is_blocked_freed_and_retired"
    ),
    Row(
        "Location",
        "location: blocked unblock active",
        "machine",
        f"{PLACES}::test_a_place_is_blocked_freed_and_retired",
    ),
    Row(
        "Location", "location: active retire retired", "machine", f"{PLACES}::test_a_place_is_blocked_freed_and_retired"
    ),
    Row(
        "Contact",
        "one primary for each party and role",
        "unique",
        f"{PLACES}::test_one_primary_for_each_party_and_role",
    ),
    Row(
        "Contact",
        "e-mail or phone, in their forms",
        "check",
        f"{PLACES}::test_a_contact_that_nobody_can_reach_is_refused",
    ),
    Row(
        "Contact", "called in the order of priority", "verb", f"{PLACES}::test_a_recall_calls_in_the_order_of_priority"
    ),
    Row(
        "Contact",
        "contact: active retire retired",
        "machine",
        f"{PLACES}::test_a_contact_is_verified_and_a_retired_one_is_not",
    ),
    Row(
        "Contact",
        "an erased person leaves a row that says nothing",
        "verb",
        f"{PLACES}::test_an_erased_person_leaves_a_row_and_a_trail_that_say_nothing",
    ),
    Row(
        "Address",
        "a party is at one address of a use at a time",
        "exclusion",
        f"{PLACES}::test_a_party_is_at_one_address_at_a_time",
    ),
    Row(
        "Address",
        "a cited address stays as it was cited",
        "trigger",
        f"{PLACES}::test_a_cited_address_stays_as_it_was_cited",
    ),
    Row(
        "Address",
        "country, region, coordinates and lines are possible ones",
        "check",
        f"{PLACES}::test_an_address_that_is_on_no_map_is_refused",
    ),
    Row(
        "Address",
        "address: current supersede superseded",
        "machine",
        f"{PLACES}::test_a_party_is_at_one_address_at_a_time",
    ),
    Row(
        "Plant",
        "GLN with its check digit, FDA and FSIS numbers, known regimes, a real time zone",
        "check",
        f"{PLACES}::test_a_plant_that_no_register_knows_is_refused",
    ),
    Row(
        "Plant",
        "the database and the kernel agree on check digits",
        "check",
        f"{PLACES}::test_the_database_agrees_with_the_kernel_on_check_digits",
    ),
    Row(
        "Plant",
        "time zone and beginning of the day are fixed once something was made",
        "trigger",
        f"{PLACES}::test_the_day_of_a_plant_is_fixed_once_something_was_made",
    ),
    Row(
        "Plant",
        "closes only when no batch, hold, lot or deviation is open",
        "verb",
        f"{PLACES}::test_a_plant_closes_only_when_nothing_of_it_is_open",
    ),
    Row("Plant", "plant: planned activate active", "machine", f"{PLACES}::test_a_planned_plant_opens"),
    Row(
        "Plant",
        "plant: active suspend suspended",
        "machine",
        f"{PLACES}::test_a_plant_closes_only_when_nothing_of_it_is_open",
    ),
    Row("Plant", "plant: suspended activate active", "machine", f"{PLACES}::test_a_suspended_plant_opens_again"),
    Row(
        "Plant",
        "plant: suspended close closed",
        "machine",
        f"{PLACES}::test_a_plant_closes_only_when_nothing_of_it_is_open",
    ),
)
