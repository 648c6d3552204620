"""Roles, permissions, API keys."""

from __future__ import annotations

from tests.ledger.row import Row

_R = "tests/server/identity/test_rights.py::"
_K = "tests/server/identity/test_api_keys.py::"
_A = "tests/server/identity/test_auditor.py::"
_M = "tests/every/test_matrix.py::"
_LIFE = _R + "test_a_role_is_made_filled_activated_given_and_retired"
_DB = _R + "test_the_database_refuses_what_no_verb_does"
_KEY_DB = _K + "test_the_database_refuses_a_key_that_is_none"
_OVERLAP = _K + "test_the_old_key_goes_on_for_the_overlap_and_is_then_revoked"
_LOSES = _R + "test_who_loses_a_role_is_signed_out_in_the_same_transaction"

ROWS: tuple[Row, ...] = (
    Row(
        "Permission",
        "code is context.noun.verb",
        "check",
        _R + "test_a_permission_has_one_code_of_three_parts_and_a_level",
    ),
    Row("Permission", "a code exists once", "unique", _R + "test_a_permission_has_one_code_of_three_parts_and_a_level"),
    Row("Permission", "a code is never changed or deleted", "trigger", _DB),
    Row("Permission", "system rows are immutable", "verb", _R + "test_a_permission_of_the_program_is_not_changed"),
    Row(
        "Permission",
        "custom ones are scopes only, in no role",
        "verb",
        _R + "test_a_permission_of_ones_own_goes_into_no_role_and_ends",
    ),
    Row(
        "Permission",
        "permission: active deprecate deprecated",
        "machine",
        _R + "test_a_permission_of_ones_own_goes_into_no_role_and_ends",
    ),
    Row(
        "Permission",
        "seeded from code with its level",
        "verb",
        _M + "test_permissions_and_levels_are_in_the_database_as_in_the_program",
    ),
    Row(
        "Permission",
        "one that a release drops is deprecated",
        "verb",
        _M + "test_a_permission_that_a_release_drops_is_deprecated_and_leaves_the_roles",
    ),
    Row(
        "Permission",
        "what is signed has level esign",
        "permission",
        _M + "test_whatever_is_signed_is_of_the_level_that_no_key_holds",
    ),
    Row("Role", "key exists once", "unique", _R + "test_a_draft_is_not_retired_and_a_key_is_not_used_twice"),
    Row("Role", "key, scope and retirement are well-formed", "check", _DB),
    Row("Role", "role: draft activate active", "machine", _LIFE),
    Row("Role", "role: active retire retired", "machine", _LIFE),
    Row("Role", "system roles are read-only", "verb", _R + "test_a_system_role_is_not_edited"),
    Row("Role", "retiring one ends it for who holds it, and their sessions", "transaction", _LIFE),
    Row(
        "Role",
        "an edit is news for the terminals of who holds it",
        "transaction",
        _R + "test_an_edited_role_is_news_for_the_terminals_of_who_holds_it",
    ),
    Row(
        "Role",
        "who fills one holds what is put in, everywhere and without an end",
        "verb",
        _R + "test_a_right_held_elsewhere_is_not_put_into_a_role",
    ),
    Row("Role", "nobody fills a role they hold", "verb", _R + "test_nobody_fills_a_role_they_hold"),
    Row(
        "Role",
        "roles of a plant and of the company, none for PA and DV",
        "verb",
        _M + "test_who_runs_the_platform_and_what_a_terminal_is_are_no_roles_of_a_company",
    ),
    Row("RolePermission", "contains only what exists and is ours", "foreign key", _DB),
    Row(
        "UserRole",
        "the same role is not held twice at a time",
        "exclusion",
        _R + "test_the_same_role_is_not_held_twice_at_a_time",
    ),
    Row("UserRole", "terms are never changed, rows never deleted", "trigger", _DB),
    Row(
        "UserRole",
        "counts from its first instant to before its last",
        "verb",
        _R + "test_a_role_counts_from_its_first_instant_to_before_its_last",
    ),
    Row(
        "UserRole",
        "who gives it holds all that is in it",
        "verb",
        _R + "test_a_role_with_more_than_one_holds_is_not_given",
    ),
    Row(
        "UserRole",
        "who gives it holds that at this plant",
        "verb",
        _R + "test_who_holds_a_right_at_one_plant_does_not_hand_it_out_at_another",
    ),
    Row(
        "UserRole",
        "who gives it holds that as long",
        "verb",
        _R + "test_who_holds_a_right_for_a_time_does_not_hand_it_out_for_longer",
    ),
    Row(
        "UserRole",
        "nobody gives themselves a role",
        "verb",
        _R + "test_an_administrator_appoints_others_and_never_themselves",
    ),
    Row(
        "UserRole",
        "a plant's role needs a plant, an auditor's an end",
        "verb",
        _R + "test_a_role_of_a_plant_is_given_at_a_plant_and_an_auditors_until_a_day",
    ),
    Row("UserRole", "losing one raises the epoch and ends the sessions", "transaction", _LOSES),
    Row("UserRole", "the last tenant admin keeps it", "verb", _R + "test_the_last_administrator_cannot_lose_the_role"),
    Row(
        "UserRole",
        "the last tenant admin keeps it in a race",
        "transaction",
        _R + "test_two_administrators_who_take_each_others_role_leave_one",
    ),
    Row(
        "ApiKey",
        "prefix exists once; a key is never deleted",
        "unique",
        _K + "test_a_prefix_is_given_once_and_a_key_is_never_deleted",
    ),
    Row("ApiKey", "expires within 365 days; limits, digest and overlap well-formed", "check", _KEY_DB),
    Row(
        "ApiKey",
        "text is shown once and kept as a digest",
        "verb",
        _K + "test_a_key_is_shown_once_and_kept_as_a_digest",
    ),
    Row(
        "ApiKey",
        "scopes are a subset of the maker's permissions at creation",
        "verb",
        _K + "test_the_maker_must_hold_each_scope_where_the_key_is_good",
    ),
    Row(
        "ApiKey",
        "scopes are a subset of the owner's permissions at use",
        "verb",
        _K + "test_a_scope_is_held_as_long_as_its_owner_holds_it",
    ),
    Row(
        "ApiKey",
        "never holds what ends in a signature",
        "trigger",
        _K + "test_what_ends_in_a_signature_is_never_in_a_key",
    ),
    Row(
        "ApiKey", "of one plant sees nothing of another", "verb", _K + "test_a_key_of_one_plant_sees_nothing_of_another"
    ),
    Row("ApiKey", "is used from where it says", "verb", _K + "test_a_key_is_used_from_where_it_says"),
    Row(
        "ApiKey",
        "is used as often as it says: 429 with Retry-After",
        "verb",
        _K + "test_a_key_is_used_as_often_as_it_says",
    ),
    Row(
        "ApiKey", "last use is written at most once a minute", "verb", _K + "test_its_last_use_is_written_once_a_minute"
    ),
    Row("ApiKey", "dies with its owner's account", "verb", _K + "test_a_key_dies_with_its_owners_account"),
    Row("ApiKey", "dies with its tenant", "verb", _K + "test_a_key_dies_with_its_tenant"),
    Row("ApiKey", "API key: active rotate rotating", "machine", _OVERLAP),
    Row("ApiKey", "API key: rotating revoke revoked", "machine", _OVERLAP),
    Row("ApiKey", "API key: active revoke revoked", "machine", _K + "test_a_revoked_key_opens_nothing_from_then_on"),
    Row("ApiKey", "API key: active expire expired", "machine", _K + "test_a_key_expires"),
    Row(
        "ApiKey",
        "who rotates another's key holds what is in it",
        "verb",
        _K + "test_who_rotates_anothers_key_must_hold_what_is_in_it",
    ),
    Row(
        "Auditor",
        "reads by a login that has SELECT only",
        "grant",
        _A + "test_the_readers_login_selects_and_does_nothing_else",
    ),
    Row("Auditor", "holds nothing but reading", "permission", _M + "test_an_auditor_holds_nothing_but_reading"),
    Row(
        "Auditor",
        "a right to write that came by mistake writes nothing",
        "grant",
        _A + "test_a_permission_to_write_that_came_by_mistake_writes_nothing",
    ),
    Row(
        "Auditor",
        "exports say who made them and when",
        "verb",
        _A + "test_an_auditors_export_says_who_made_it_and_when_and_is_in_the_trail",
    ),
    Row(
        "matrix",
        "every role may do with a table what the page says",
        "permission",
        _M + "test_every_role_may_do_with_a_table_what_the_page_says",
    ),
    Row(
        "matrix",
        "every role may do elsewhere what the page says",
        "permission",
        _M + "test_every_role_may_do_elsewhere_what_the_page_says",
    ),
    Row(
        "matrix",
        "a right at a plant shows nothing of another",
        "verb",
        _M + "test_a_right_at_a_plant_shows_nothing_of_another",
    ),
    Row("matrix", "TA is not QA", "permission", _M + "test_no_quality_right_is_held_by_who_administers"),
    Row(
        "LotHold",
        "who placed a hold does not end it",
        "check",
        "tests/server/fsq/test_own_work.py::test_who_placed_a_hold_does_not_end_it",
    ),
    Row("rights", "POST /users/{user_id}/roles", "route", _LIFE),
    Row("rights", "GET /users/{user_id}/roles", "route", _LOSES),
    Row(
        "rights",
        "POST /roles/{role_id}/permissions:bulk",
        "route",
        _R + "test_a_list_of_edits_is_tried_kept_together_or_row_by_row",
    ),
    Row("rights", "GET /me/permissions", "route", _LIFE),
    Row("rights", "POST /api-keys", "route", _K + "test_a_key_is_shown_once_and_kept_as_a_digest"),
    Row("rights", "POST /api-keys/{key_id}:rotate", "route", _OVERLAP),
)
