"""Terminals, and the verbs of declared resources as endpoints."""

from __future__ import annotations

from tests.ledger.row import Row

ACCOUNTS = "tests/server/identity/test_accounts.py"
DEVICES = "tests/server/identity/test_devices.py"
RIGHTS = "tests/server/identity/test_rights.py"
KEYS = "tests/server/identity/test_api_keys.py"
INVITATIONS = "tests/server/identity/test_invitations.py"
PLACES = "tests/server/core/test_places.py"
ESIGN = "tests/server/core/test_esign.py"
READINESS = "tests/server/core/test_readiness.py"

ROWS: tuple[Row, ...] = (
    Row(
        "Device",
        "POST /devices:enroll",
        "route",
        f"{DEVICES}::test_both_sides_see_the_same_words_and_approval_hands_over_the_pepper",
    ),
    Row(
        "Device",
        "POST /devices/{device_id}:reveal",
        "route",
        f"{DEVICES}::test_a_terminal_cannot_reveal_another_key_than_it_promised",
    ),
    Row(
        "Device",
        "GET /devices/{device_id}/status",
        "route",
        f"{DEVICES}::test_status_is_told_only_to_the_holder_of_the_key",
    ),
    Row("Device", "GET /devices", "route", f"{DEVICES}::test_another_company_neither_sees_nor_revokes_a_terminal"),
    Row(
        "Device",
        "POST /devices/{device_id}:approve",
        "permission",
        f"{DEVICES}::test_a_supervisor_of_one_plant_cannot_approve_for_another",
    ),
    Row(
        "Device",
        "POST /devices/{device_id}:revoke",
        "route",
        f"{DEVICES}::test_a_terminal_is_revoked_once_also_before_it_is_approved",
    ),
    Row(
        "Device",
        "terminal: pending approve approved",
        "machine",
        f"{DEVICES}::test_both_sides_see_the_same_words_and_approval_hands_over_the_pepper",
    ),
    Row(
        "Device",
        "terminal: pending revoke revoked",
        "machine",
        f"{DEVICES}::test_a_terminal_is_revoked_once_also_before_it_is_approved",
    ),
    Row(
        "Device",
        "terminal: approved revoke revoked",
        "machine",
        f"{DEVICES}::test_a_terminal_is_revoked_once_also_before_it_is_approved",
    ),
    Row("Device", "the code lives ten minutes", "verb", f"{DEVICES}::test_a_code_dies_after_ten_minutes"),
    Row("User", "POST /users/{user_id}:invite", "route", f"{INVITATIONS}::test_only_the_newest_letter_counts"),
    Row(
        "User",
        "POST /users/{record_id}:activate",
        "route",
        f"{ACCOUNTS}::test_somebody_without_mail_is_let_in_in_person",
    ),
    Row(
        "User",
        "POST /users/{record_id}:disable",
        "route",
        f"{ACCOUNTS}::test_a_disabled_person_is_let_in_again_after_a_look_at_who_it_is",
    ),
    Row(
        "User",
        "POST /users/{record_id}:enable",
        "route",
        f"{ACCOUNTS}::test_a_disabled_person_is_let_in_again_after_a_look_at_who_it_is",
    ),
    Row(
        "User",
        "POST /users/{record_id}:lock",
        "route",
        f"{ACCOUNTS}::test_an_admins_lock_ends_everything_until_it_is_opened",
    ),
    Row("User", "POST /users/{record_id}:unlock", "route", f"{ACCOUNTS}::test_an_admin_opens_a_lock_at_once"),
    Row(
        "User",
        "POST /users/{record_id}:set-pin",
        "route",
        f"{ACCOUNTS}::test_a_pin_set_by_another_is_good_for_setting_ones_own",
    ),
    Row(
        "User",
        "POST /users/{record_id}:clear-wait",
        "route",
        f"{ACCOUNTS}::test_a_supervisor_clears_the_wait_of_people_of_the_plant_only",
    ),
    Row(
        "User",
        "POST /users/{record_id}:verify-identity",
        "route",
        f"{ACCOUNTS}::test_identity_check_and_letter_are_recorded",
    ),
    Row("User", "POST /users/{record_id}:set-pcqi", "route", f"{ACCOUNTS}::test_a_pcqi_has_training_or_experience"),
    Row(
        "Role",
        "POST /roles/{record_id}:activate",
        "route",
        f"{RIGHTS}::test_a_role_is_made_filled_activated_given_and_retired",
    ),
    Row(
        "UserRole",
        "POST /user-roles/{record_id}:take",
        "route",
        f"{RIGHTS}::test_who_loses_a_role_is_signed_out_in_the_same_transaction",
    ),
    Row(
        "ApiKey", "POST /api-keys/{record_id}:revoke", "route", f"{KEYS}::test_a_revoked_key_opens_nothing_from_then_on"
    ),
    Row("ESignature", "GET /esign", "route", f"{ESIGN}::test_the_time_is_shown_in_utc_and_the_plants_own"),
    Row(
        "Location", "POST /locations/{record_id}:block", "route", f"{PLACES}::test_a_place_is_blocked_freed_and_retired"
    ),
    Row(
        "Location",
        "POST /locations/{record_id}:unblock",
        "route",
        f"{PLACES}::test_a_place_is_blocked_freed_and_retired",
    ),
    Row(
        "Contact",
        "POST /contacts/{record_id}:verify",
        "route",
        f"{PLACES}::test_a_contact_is_verified_and_a_retired_one_is_not",
    ),
    Row(
        "Contact",
        "POST /contacts/{record_id}:erase",
        "route",
        f"{PLACES}::test_an_erased_person_leaves_a_row_and_a_trail_that_say_nothing",
    ),
    Row(
        "Address",
        "POST /addresses/{record_id}:supersede",
        "route",
        f"{PLACES}::test_a_party_is_at_one_address_at_a_time",
    ),
    Row("Plant", "POST /plants/{record_id}:activate", "route", f"{PLACES}::test_a_suspended_plant_opens_again"),
    Row("Plant", "POST /plants/{record_id}:suspend", "route", f"{PLACES}::test_a_suspended_plant_opens_again"),
    Row(
        "Plant",
        "POST /plants/{record_id}:close-down",
        "route",
        f"{PLACES}::test_a_plant_closes_only_when_nothing_of_it_is_open",
    ),
    Row("CA", "GET /ca", "route", f"{READINESS}::test_the_ca_is_there_for_who_pairs"),
)
