"""Running the server."""

from __future__ import annotations

from tests.ledger.row import Row

ROUTES = "tests/every/test_routes.py"
SETTINGS = "tests/every/test_settings.py"
DOOR = "tests/server/core/test_door.py"
HTTP = "tests/server/core/test_http.py"
BACKUP = "tests/server/core/test_backup.py"
SAFE = "tests/server/sync/test_safe.py"
JOBS = "tests/server/core/test_jobs.py"
READINESS = "tests/server/core/test_readiness.py"

ROWS: tuple[Row, ...] = (
    Row("Settings", "each is documented", "verb", f"{SETTINGS}::test_setting_stands_in_the_page"),
    Row(
        "Settings",
        "what cannot work, or nothing reads, stops the start",
        "verb",
        f"{SETTINGS}::test_settings_that_cannot_work_stop_the_start",
    ),
    Row("Readiness", "GET /api/v1/health", "route", f"{READINESS}::test_ready_is_said_in_one_word"),
    Row("Readiness", "GET /api/v1/health/live", "route", f"{READINESS}::test_ready_is_said_in_one_word"),
    Row(
        "Readiness",
        "an unreachable database is named",
        "verb",
        f"{READINESS}::test_a_database_that_does_not_answer_is_named",
    ),
    Row(
        "Readiness",
        "a missing migration and a full disk are named",
        "verb",
        f"{READINESS}::test_a_database_that_is_not_migrated_and_a_full_disk_are_named",
    ),
    Row(
        "Stop",
        "the request that was begun is finished",
        "verb",
        f"{READINESS}::test_a_stop_finishes_the_request_that_was_begun",
    ),
    Row(
        "Metrics",
        "by route and never by record or tenant",
        "verb",
        f"{DOOR}::test_a_request_is_measured_by_its_route_and_never_by_its_record",
    ),
    Row("Metrics", "on a port of their own", "route", f"{DOOR}::test_metrics_have_a_port_of_their_own"),
    Row("Traces", "off until an endpoint is named", "verb", f"{DOOR}::test_traces_are_off_until_an_endpoint_is_named"),
    Row(
        "Traces",
        "a request is a span below its caller's",
        "verb",
        f"{DOOR}::test_a_request_is_a_span_below_its_callers",
    ),
    Row(
        "Request id",
        "the caller's if it is sane, on answer, log and audit",
        "verb",
        f"{HTTP}::test_what_nobody_foresaw_leaks_nothing_and_keeps_its_request_id",
    ),
    Row("Rate limit", "of a person", "verb", f"{DOOR}::test_a_person_who_asks_too_often_is_told_when_to_come_back"),
    Row(
        "Rate limit",
        "of an address that nobody is signed in at",
        "verb",
        f"{DOOR}::test_an_address_that_nobody_is_signed_in_at_is_limited_too",
    ),
    Row(
        "Rate limit",
        "on every route that needs nobody signed in",
        "route",
        f"{ROUTES}::test_every_route_that_needs_nobody_is_limited_by_address",
    ),
    Row(
        "Request size",
        "beyond the limit it is refused before it is read whole",
        "verb",
        f"{DOOR}::test_a_body_beyond_the_limit_is_refused_before_it_is_read_whole",
    ),
    Row(
        "Headers",
        "on every answer, an error's too",
        "verb",
        f"{DOOR}::test_every_answer_carries_the_headers_also_an_error",
    ),
    Row(
        "Jobs",
        "a tenant that fails keeps no other waiting",
        "verb",
        f"{JOBS}::test_a_tenant_that_fails_keeps_no_other_waiting_and_the_round_says_so",
    ),
    Row("Jobs", "two workers do a round once", "unique", f"{JOBS}::test_two_workers_do_a_round_once"),
    Row(
        "Jobs",
        "a round that failed is on record and the next one runs",
        "verb",
        f"{JOBS}::test_a_round_that_failed_is_on_record_and_the_next_one_runs",
    ),
    Row(
        "Jobs",
        "a round whose process was killed keeps no later one waiting",
        "verb",
        f"{JOBS}::test_a_round_whose_process_was_killed_keeps_no_later_one_waiting",
    ),
    Row(
        "Jobs",
        "a round for the whole server runs once and of no company",
        "verb",
        f"{JOBS}::test_a_round_for_the_whole_server_runs_once_and_of_no_company",
    ),
    Row(
        "SyncSafe",
        "is what a restored copy was found to hold",
        "verb",
        f"{SAFE}::test_safe_is_what_a_restored_copy_was_found_to_hold",
    ),
    Row("SyncSafe", "never goes back", "verb", f"{SAFE}::test_what_is_safe_never_goes_back"),
    Row(
        "SyncSafe",
        "rows that are not as they were pushed are not in it",
        "check",
        f"{SAFE}::test_rows_that_are_not_as_they_were_pushed_are_not_called_safe",
    ),
    Row(
        "Backup",
        "one byte of a copy is found and nothing more is safe",
        "check",
        f"{SAFE}::test_one_byte_of_a_copy_is_found_and_nothing_more_is_safe",
    ),
    Row(
        "Backup",
        "a log segment that is missing or damaged is found",
        "check",
        f"{SAFE}::test_a_log_segment_that_is_missing_or_damaged_is_found",
    ),
    Row(
        "Backup",
        "a segment is put aside whole and never over another",
        "verb",
        f"{BACKUP}::test_a_segment_is_put_aside_whole_and_never_over_another",
    ),
    Row(
        "Backup",
        "old copies go and never the last verified one",
        "verb",
        f"{BACKUP}::test_old_copies_go_and_never_the_last_verified_one",
    ),
    Row("Backup", "one is due each day from its hour", "verb", f"{BACKUP}::test_what_is_due"),
    Row(
        "Backup",
        "nobody else works in the folder meanwhile",
        "unique",
        f"{SAFE}::test_nobody_else_works_in_the_folder_meanwhile",
    ),
    Row(
        "Backup",
        "those that are not ours are refused with a reason",
        "verb",
        f"{BACKUP}::test_backups_that_are_not_ours_are_refused_with_a_reason",
    ),
    Row(
        "Restore",
        "T11: a terminal sends again what a restored server has not",
        "verb",
        f"{SAFE}::test_t11_a_terminal_sends_again_what_a_restored_server_has_not",
    ),
    Row(
        "Restore",
        "touches no folder that has something",
        "verb",
        f"{SAFE}::test_restore_touches_no_folder_that_has_something",
    ),
    Row(
        "Restore",
        "a drill checks every company and removes what it made",
        "verb",
        f"{SAFE}::test_a_drill_checks_every_company_and_removes_what_it_made",
    ),
)
