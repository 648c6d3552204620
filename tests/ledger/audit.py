"""The audit trail and electronic signatures."""

from __future__ import annotations

from tests.ledger.row import Row

TRAIL = "tests/server/core/test_audit_trail.py::"
CHECK = "tests/server/core/test_audit_check.py::"
AUDITED = "tests/server/core/test_audited.py::"
SIGNING = "tests/server/identity/test_signing.py::"
ESIGN = "tests/server/core/test_esign.py::"
SYNC = "tests/server/sync/test_audited.py::"
RETENTION = "tests/kernel/rules/test_retention.py::"
PART11 = "tests/kernel/rules/test_part11.py::"


def _rows(subject: str, *lines: tuple[str, str, str]) -> tuple[Row, ...]:
    return tuple(Row(subject, says, by, test) for says, by, test in lines)


ROWS: tuple[Row, ...] = (
    Row(
        "AuditLog",
        "rows of facts and of the trail are never changed or deleted",
        "trigger, grant",
        "tests/every/test_facts.py::test_each_fact_table_is_guarded",
    ),
    *_rows(
        "AuditLog",
        ("UPDATE, DELETE, TRUNCATE are refused on the table and every month, also later ones", "trigger, grant",
         TRAIL + "test_the_database_refuses_to_change_what_was_written"),
        ("a row commits with what it tells of, or not at all", "transaction",
         TRAIL + "test_rows_are_numbered_in_the_order_of_commits_without_a_hole"),
        ("a row goes with its savepoint", "transaction", TRAIL + "test_a_row_goes_with_its_savepoint"),
        ("numbers have no hole and are in the order of commits", "transaction",
         TRAIL + "test_a_number_taken_and_not_yet_committed_is_waited_for"),
        ("the count of rows only grows", "trigger, grant", TRAIL + "test_the_count_of_rows_only_grows"),
        ("actor_type is user, device, apikey, system or platform", "check",
         TRAIL + "test_another_kind_of_actor_is_refused"),
        ("a missing month refuses no write", "verb", TRAIL + "test_each_month_has_its_partition_and_none_refuses_a_write"),
        ("the hash is of the canonical row, whatever time zone, scale or key order", "verb",
         TRAIL + "test_a_hash_does_not_depend_on_time_zone_or_scale"),
        ("the canonical form stays as it is", "verb", TRAIL + "test_the_canonical_form_of_today_is_kept_for_ever"),
        ("every secret column of the schema is cut out", "verb",
         TRAIL + "test_every_column_that_looks_secret_is_cut_out_or_named_here"),
        ("a secret is in no row", "verb", TRAIL + "test_a_secret_is_in_no_row"),
        ("no text refuses a row", "verb", TRAIL + "test_any_text_can_be_written_and_still_hashes"),
        ("what must be on record is", "verb", AUDITED + "test_it_is_on_record"),
        ("master data: before, after, plant, address", "verb",
         AUDITED + "test_a_change_of_master_data_says_before_after_who_where_and_from_where"),
        ("a rejected fact is on record once", "verb", SYNC + "test_what_is_set_aside_is_on_record_once"),
        ("a clock off by more than 120 s is on record", "verb",
         SYNC + "test_a_clock_that_is_off_by_more_than_two_minutes_is_on_record"),
        ("holds and stops of a terminal are on record", "verb",
         SYNC + "test_holds_and_stops_of_a_terminal_are_on_record"),
        ("a supervisor reads the rows of their plant only", "verb",
         AUDITED + "test_a_supervisor_reads_only_the_rows_of_their_plant"),
        ("another company reads nothing", "grant", AUDITED + "test_another_company_sees_nothing"),
        ("GET /audit", "route", AUDITED + "test_the_list_is_narrowed_by_each_of_its_filters"),
        ("GET /audit/verify", "route", AUDITED + "test_verify_names_the_first_bad_row"),
        ("GET /audit as CSV: every row, no formula", "route", AUDITED + "test_the_export_has_every_row_and_no_formula"),
        ("GET /audit needs core.audit.read", "permission", AUDITED + "test_who_has_no_right_reads_nothing"),
    ),
    *_rows(
        "AuditSeal",
        ("append to sealed: what was open across a seal is in the next", "transaction",
         TRAIL + "test_a_transaction_held_open_across_a_seal_is_sealed_by_the_next"),
        ("of two sealers one wins", "unique", TRAIL + "test_of_two_sealers_at_once_one_wins"),
        ("a superuser's delete, insert, change, swap, cut, changed or removed seal is named", "verb",
         CHECK + "test_what_a_superuser_did_is_named_by_its_number"),
        ("a row rewritten with its hash breaks its seal", "verb",
         CHECK + "test_a_row_rewritten_with_its_hash_breaks_its_seal"),
        ("a seal follows the one before", "verb", CHECK + "test_a_seal_remade_alone_does_not_follow"),
        ("recomputing everything does not agree with the anchors", "verb",
         CHECK + "test_who_recomputes_everything_in_the_database_is_found_by_the_anchors"),
        ("anchors survive a crash", "verb",
         CHECK + "test_anchors_are_appended_and_a_line_cut_off_by_a_crash_is_written_again"),
        ("verify needs flat memory", "verb", CHECK + "test_verifying_needs_the_same_memory_for_a_long_trail"),
        ("sealed every 60 s", "verb", AUDITED + "test_the_sealer_of_the_application_seals_and_makes_months"),
    ),
    *_rows(
        "ESignature",
        ("POST /esign", "route", ESIGN + "test_signed_first_then_done"),
        ("GET /esign: printed name, UTC and plant time, meaning", "route",
         ESIGN + "test_the_time_is_shown_in_utc_and_the_plants_own"),
        ("used once", "unique", ESIGN + "test_a_signature_is_used_once"),
        ("used once, also by two at the same moment", "transaction",
         ESIGN + "test_of_two_actions_at_once_with_one_signature_one_is_done"),
        ("usable for five minutes", "verb", ESIGN + "test_a_signature_lives_five_minutes"),
        ("409 for a version that is stale", "verb", ESIGN + "test_a_signature_is_for_the_version_that_was_seen"),
        ("bound to the content; a later one shows as not valid", "verb",
         ESIGN + "test_a_change_past_the_version_shows_too"),
        ("for its signer, session and record only", "verb",
         ESIGN + "test_a_signature_is_nobody_elses_and_for_no_other_record"),
        ("all components at first, the PIN in a series", "verb",
         ESIGN + "test_password_at_first_then_the_pin_while_the_series_goes_on"),
        ("TOTP beside the password at first, not in a series", "verb",
         SIGNING + "test_the_code_is_asked_for_at_the_first_signing_and_not_at_later_ones"),
        ("no TOTP of who has none", "verb", SIGNING + "test_who_has_no_second_factor_is_asked_for_none"),
        ("a wrong code is a failed signature and counts", "verb",
         SIGNING + "test_a_wrong_code_is_a_failed_signature_and_counts"),
        ("replay of a step refused, across signing and sign-in", "verb",
         SIGNING + "test_a_code_that_signed_or_signed_in_signs_no_more"),
        ("a code is used up although what it signed is refused", "transaction",
         SIGNING + "test_a_code_is_used_up_although_what_it_signed_is_refused"),
        ("one code signs once, also for two at the same moment", "transaction",
         SIGNING + "test_of_two_signings_at_once_with_one_code_one_is_signed"),
        ("codes are never in the trail", "verb", SIGNING + "test_a_code_is_never_in_the_trail"),
        ("a series is within one session", "verb", ESIGN + "test_a_series_does_not_go_on_in_another_session"),
        ("an action takes its own meaning", "verb", ESIGN + "test_a_release_is_signed_as_released"),
        ("a rejection says why, in 5 to 500 letters", "verb", ESIGN + "test_a_rejection_says_why"),
        ("meaning and reason make sense in the database", "check",
         ESIGN + "test_the_database_refuses_a_signature_without_sense"),
        ("TA signs no QA meaning unless also QM", "verb",
         ESIGN + "test_an_administrator_signs_for_quality_only_as_a_qa_manager_too"),
        ("only a person signs", "verb", ESIGN + "test_only_a_person_signs"),
        ("a terminal never signs for a person", "verb", ESIGN + "test_a_terminal_does_not_sign_for_the_person_at_it"),
        ("wrong components are on record and counted", "verb",
         ESIGN + "test_wrong_components_are_on_record_and_counted"),
        ("another plant's record is neither signed nor shown", "verb",
         ESIGN + "test_records_of_another_plant_or_kind_are_not_signed_and_not_shown"),
        ("reviewed, verified, approved, released need the server", "verb",
         SYNC + "test_a_terminal_signs_nothing_that_needs_the_server"),
        ("Part 11 is never off under 111, juice, low-acid", "verb",
         PART11 + "test_it_applies_unless_switched_off_where_nothing_asks"),
        ("Part 11 off: the PIN suffices, nothing else changes", "verb",
         ESIGN + "test_without_part_11_the_pin_is_enough_from_the_first_signature_on"),
        ("Part 11 cannot be switched off where a rule of the company or plant asks for it", "verb",
         ESIGN + "test_where_a_rule_asks_for_part_11_it_is_never_off"),
    ),
    *_rows(
        "Retention",
        ("the floors are those of the clauses", "verb", RETENTION + "test_the_floors_are_those_of_the_clauses"),
        ("the longest rule stands; a company may only lengthen", "verb",
         RETENTION + "test_nothing_is_ever_shorter_than_any_rule"),
        ("max(floors, shelf life + 1 year, 3 years)", "verb", RETENTION + "test_worked"),
        ("a period never ends early", "verb", RETENTION + "test_a_period_never_ends_early"),
    ),
    *_rows(
        "AuditSeal",
        ("a trail with a hole is not sealed", "verb", TRAIL + "test_a_trail_with_a_hole_is_not_sealed"),
    ),
)  # fmt: skip
