"""Companies: provisioning, suspending, leaving; migration, backup."""

from __future__ import annotations

from tests.ledger.row import Row

_REGISTRY = "tests/server/core/test_registry.py::test_"
_MIGRATIONS = "tests/server/core/test_migrations.py::test_"
_FLEET = "tests/server/core/test_fleet.py::test_"
_TRANSFER = "tests/server/core/test_transfer.py::test_"
_TENANTS = "tests/server/identity/test_tenants.py::test_"
_SUSPENDED = "tests/server/sync/test_suspended.py::test_"
_ISOLATION = "tests/server/core/test_isolation.py::test_"
_GLASS = "tests/server/identity/test_break_glass.py::test_"
_SEEN = f"{_GLASS}who_runs_the_platform_reads_what_an_admin_reads_and_each_request_is_in_the_companys_trail"
_WALK = f"{_GLASS}every_route_of_a_company_is_read_and_noted_or_refused"
_TERMS = f"{_GLASS}the_database_refuses_what_no_access_may_be"
_STAYS = f"{_GLASS}a_row_is_ended_once_and_neither_changed_nor_deleted"
_BY_COMPANY = f"{_GLASS}an_admin_of_the_company_sees_it_and_ends_it_and_the_next_request_is_refused"
_RUN_BY = "tests/server/identity/test_platform_users.py::test_"
_OUT = f"{_RUN_BY}who_is_shut_out_is_out_at_once_and_comes_back_with_new_tokens_only"
_FACTOR = f"{_RUN_BY}a_second_factor_is_asked_for_once_it_was_shown_to_work"
_ENTRY = f"{_REGISTRY}the_database_refuses_an_entry_that_no_tenant_may_have"
_MOVE = f"{_TENANTS}a_move_is_made_and_noted_or_refused_and_not"
_LIFE = f"{_TENANTS}a_company_is_made_changed_and_listed_by_the_platform"

ROWS: tuple[Row, ...] = (
    Row("Tenant", "slug is 3 to 31 small letters, digits and _, a letter first", "check", _ENTRY),
    Row("Tenant", "a reserved name is no slug", "check", _ENTRY),
    Row("Tenant", "schema_name is t_ and the slug", "check", _ENTRY),
    Row("Tenant", "gs1_company_prefix has 6 to 12 digits", "check", _ENTRY),
    Row("Tenant", "regimes are known ones", "check", _ENTRY),
    Row("Tenant", "country and currency are codes", "check", _ENTRY),
    Row("Tenant", "slug is unique", "unique", f"{_MIGRATIONS}who_loses_the_race_for_a_slug_harms_nothing"),
    Row("Tenant", "id, slug and schema never change", "trigger", f"{_REGISTRY}what_a_tenant_is_known_by_never_changes"),
    Row("Tenant", "never deleted", "trigger", f"{_REGISTRY}a_tenant_that_was_ever_active_is_never_deleted"),
    Row(
        "Tenant", "provisioning that fails leaves nothing", "verb",
        f"{_MIGRATIONS}provisioning_that_fails_at_any_step_leaves_nothing_and_the_slug_is_free",
    ),
    Row(
        "Tenant", "what a dead process left is taken away", "verb",
        f"{_MIGRATIONS}what_a_process_left_that_died_while_it_made_a_tenant_is_taken_away",
    ),
    Row(
        "Tenant", "suspension is heard by every process", "trigger",
        f"{_REGISTRY}another_process_hears_at_once_that_a_tenant_is_suspended",
    ),
    Row("Tenant", "tenant: provisioning activate active", "machine", f"{_MIGRATIONS}a_new_tenant_is_migrated_and_listed"),
    Row("Tenant", "tenant: active suspend suspended", "machine", _MOVE),
    Row("Tenant", "tenant: suspended activate active", "machine", _MOVE),
    Row("Tenant", "tenant: active offboard offboarding", "machine", _MOVE),
    Row("Tenant", "tenant: suspended offboard offboarding", "machine", _MOVE),
    Row("Tenant", "tenant: offboarding archive archived", "machine", _MOVE),
    Row(
        "Tenant", "suspended: pushes stored, no data", "verb",
        f"{_SUSPENDED}pushes_are_stored_while_the_company_is_suspended_or_leaves_and_it_gets_no_data",
    ),
    Row(
        "Tenant", "suspended: whoever waits at the feed gets nothing", "verb",
        f"{_SUSPENDED}a_terminal_that_waits_at_the_feed_gets_nothing_of_a_company_suspended_meanwhile",
    ),
    Row(
        "Tenant", "suspended: tokens of people do not work", "verb",
        f"{_SUSPENDED}a_persons_token_ends_with_the_suspension_and_works_again_after_it",
    ),
    Row("Tenant", "archived: pushes refused", "verb", f"{_SUSPENDED}nothing_goes_into_an_archived_company"),
    Row("Tenant", "archived: no session", "verb", f"{_REGISTRY}an_archived_tenant_has_no_session"),
    Row(
        "Tenant", "archived: written to a file, role locked out", "grant",
        f"{_TENANTS}a_company_that_is_archived_is_in_a_file_and_its_role_is_locked_out",
    ),
    Row(
        "Tenant", "no session of one is handed to another", "grant",
        f"{_ISOLATION}under_load_each_session_is_of_its_own_tenant_while_engines_open_and_close",
    ),
    Row(
        "Tenant", "background work stays with its tenant", "verb",
        f"{_ISOLATION}work_after_an_answer_and_jobs_stay_with_their_tenant",
    ),
    Row("Tenant", "a request inherits no tenant", "verb", f"{_ISOLATION}a_request_does_not_inherit_a_tenant"),
    Row("Tenant", "GET /tenants", "route", _LIFE),
    Row("Tenant", "POST /tenants", "route", _LIFE),
    Row("Tenant", "GET /tenants/{tenant_id}", "route", _LIFE),
    Row("Tenant", "PATCH /tenants/{tenant_id}", "route", _LIFE),
    Row("Tenant", "POST /tenants/{tenant_id}:suspend", "route", _MOVE),
    Row("Tenant", "POST /tenants/{tenant_id}:activate", "route", _MOVE),
    Row("Tenant", "POST /tenants/{tenant_id}:offboard", "route", _MOVE),
    Row("Tenant", "POST /tenants/{tenant_id}:archive", "route", _MOVE),
    Row("Tenant", "GET /tenant", "route", f"{_TENANTS}a_tenants_admin_reads_the_entry_of_the_own_company_only"),
    Row(
        "PlatformUser", "only they get into the registry", "permission",
        f"{_TENANTS}a_companys_person_is_nobody_at_the_platform",
    ),
    Row(
        "PlatformUser", "nobody in a company", "permission",
        f"{_TENANTS}a_platform_administrator_is_nobody_in_a_company",
    ),
    Row(
        "PlatformUser", "POST /platform/login", "route",
        f"{_TENANTS}five_wrong_passwords_lock_and_the_answer_never_says_why",
    ),
    Row("PlatformUser", "a token ends with the account", "verb", f"{_TENANTS}a_token_ends_with_the_account"),
    Row("PlatformAudit", "never changed", "trigger", f"{_TENANTS}the_platforms_audit_is_never_changed"),
    Row(
        "Migration", "one that fails is rolled back, the next run goes on", "transaction",
        f"{_FLEET}one_that_fails_is_rolled_back_and_the_next_run_goes_on",
    ),
    Row("Migration", "nothing is made in public", "verb", f"{_FLEET}nothing_is_made_where_all_can_see_it"),
    Row(
        "Migration", "a replayed schema is the migrated one", "verb",
        f"{_MIGRATIONS}a_replayed_schema_is_the_migrated_one_to_the_last_right",
    ),
    Row(
        "Export", "every row, every guard, another epoch", "verb",
        f"{_TRANSFER}a_copy_beside_the_original_has_every_row_and_every_guard_and_another_epoch",
    ),
    Row("Export", "one snapshot", "transaction", f"{_TRANSFER}what_is_written_meanwhile_is_not_half_in_the_file"),
    Row("Export", "attached files, each checked by its hash; what is missing is named", "verb",
        f"{_TRANSFER}attached_files_leave_and_come_with_the_rows"),
    Row("Export", "attached content that is not what its name says is refused", "verb",
        f"{_TRANSFER}an_attached_file_that_is_not_what_its_name_says_is_refused"),
    Row("Export", "flat memory", "verb", f"{_TRANSFER}an_export_of_many_rows_is_not_held_in_memory"),
    Row(
        "Export", "a damaged file makes nothing", "verb",
        f"{_TRANSFER}a_file_that_is_not_whole_is_refused_and_nothing_is_made",
    ),
    Row(
        "Export", "a foreign file makes nothing", "verb",
        f"{_TRANSFER}a_file_that_says_what_cannot_be_is_refused_and_nothing_is_made",
    ),
    Row(
        "Export", "references are checked again", "foreign key",
        f"{_TRANSFER}rows_that_are_not_those_of_the_manifest_or_break_a_rule_are_refused_and_nothing_is_made",
    ),
    Row(
        "Tenant", "each of its names is unique by itself", "unique",
        f"{_REGISTRY}each_name_of_a_tenant_is_its_own_without_the_other",
    ),
    Row(
        "Platform", "an administrator has what the matrix grants", "permission",
        f"{_TENANTS}an_administrator_of_the_platform_has_what_the_matrix_grants_and_no_more",
    ),
    Row("BreakGlass", "at most four hours", "check", _TERMS),
    Row("BreakGlass", "a reason of 5 to 500 letters", "check", _TERMS),
    Row("BreakGlass", "ends within its term, in one of four ways", "check", _TERMS),
    Row("BreakGlass", "asked for one to four hours", "verb", f"{_GLASS}it_is_asked_for_one_to_four_hours"),
    Row(
        "BreakGlass", "one open of a person at a company", "unique",
        f"{_GLASS}the_database_has_one_open_of_somebody_at_a_company",
    ),
    Row("BreakGlass", "of several opened at once one is", "unique", f"{_GLASS}one_is_open_at_a_time_and_the_next_after_it"),
    Row("BreakGlass", "only ended, once; never deleted", "trigger", _STAYS),
    Row(
        "BreakGlass", "never deleted by the login of the platform", "grant",
        f"{_GLASS}the_login_of_the_platform_may_not_delete_one",
    ),
    Row("BreakGlass", "reads what an admin of the company reads", "permission", _SEEN),
    Row(
        "BreakGlass", "reads nothing that an admin does not", "permission",
        f"{_GLASS}what_an_admin_does_not_read_nobody_reads_for_them",
    ),
    Row("BreakGlass", "each request is in the company's trail, with path, record and reason", "verb", _SEEN),
    Row("BreakGlass", "every route is read and noted, or refused", "permission", _WALK),
    Row("BreakGlass", "what cannot be noted is not read", "transaction", f"{_GLASS}what_cannot_be_noted_is_not_read"),
    Row(
        "BreakGlass", "no sheet leaves and no screen opens", "permission",
        f"{_GLASS}no_sheet_leaves_and_no_screen_opens",
    ),
    Row(
        "BreakGlass", "reads by the login that has SELECT only", "grant",
        f"{_GLASS}it_is_read_through_the_login_that_cannot_write",
    ),
    Row(
        "BreakGlass", "admins and QA managers are told, critical", "verb",
        f"{_GLASS}admins_and_qa_managers_are_told_at_once_and_nobody_else",
    ),
    Row(
        "BreakGlass", "a company that cannot be told is not read", "transaction",
        f"{_GLASS}a_company_that_cannot_be_told_is_not_read",
    ),
    Row("BreakGlass", "ends by itself, its tokens before", "verb", f"{_GLASS}it_ends_by_itself_and_its_tokens_before"),
    Row(
        "BreakGlass", "its end is asked of the row with each request", "verb",
        f"{_GLASS}the_hours_are_asked_of_the_row_whatever_the_token_says",
    ),
    Row("BreakGlass", "what time has ended nobody else has", "verb", f"{_GLASS}what_time_has_ended_is_ended_by_nobody_else"),
    Row("BreakGlass", "an admin of the company ends it: the next request is refused", "verb", _BY_COMPANY),
    Row("BreakGlass", "is of one company", "verb", f"{_GLASS}it_is_of_one_company"),
    Row(
        "BreakGlass", "tokens of platform and break-glass do not stand in for each other", "verb",
        f"{_GLASS}a_token_of_the_platform_opens_no_data_and_one_of_break_glass_no_platform",
    ),
    Row("BreakGlass", "is over with the account", "verb", f"{_GLASS}it_is_over_with_the_account"),
    Row(
        "BreakGlass", "of a company that is not active nothing is read", "verb",
        f"{_GLASS}of_a_company_that_is_not_active_nothing_is_read",
    ),
    Row("BreakGlass", "POST /platform/break-glass", "route", _SEEN),
    Row("BreakGlass", "GET /platform/break-glass", "route", f"{_GLASS}who_runs_the_platform_ends_it_too"),
    Row(
        "BreakGlass", "POST /platform/break-glass/{access_id}:token", "route",
        f"{_GLASS}it_ends_by_itself_and_its_tokens_before",
    ),
    Row(
        "BreakGlass", "POST /platform/break-glass/{access_id}:end", "route",
        f"{_GLASS}who_runs_the_platform_ends_it_too",
    ),
    Row("BreakGlass", "GET /break-glass", "route", _BY_COMPANY),
    Row("BreakGlass", "POST /break-glass/{access_id}:end", "route", _BY_COMPANY),
    Row("PlatformUser", "shut out at once: tokens fall, those from before stay dead", "transaction", _OUT),
    Row(
        "PlatformUser", "what is open at a company ends with the account, in its sight", "transaction",
        f"{_RUN_BY}what_they_have_open_at_a_company_ends_in_its_sight",
    ),
    Row(
        "PlatformUser", "who is being shut out opens nothing meanwhile", "transaction",
        f"{_RUN_BY}who_is_being_shut_out_opens_nothing_meanwhile",
    ),
    Row("PlatformUser", "the last one is not shut out", "verb", f"{_RUN_BY}the_last_one_is_not_shut_out"),
    Row(
        "PlatformUser", "the last one is not shut out in a race", "transaction",
        f"{_RUN_BY}of_two_who_shut_each_other_out_one_is_left",
    ),
    Row(
        "PlatformUser", "accounts and factors are no business of a company's people", "permission",
        f"{_RUN_BY}nobody_of_a_company_gets_there",
    ),
    Row("PlatformUser", "disabled, enabled and listed from the command line", "verb", f"{_RUN_BY}the_command_line_does_the_same"),
    Row("PlatformUser", "TOTP +-1 step", "verb", f"{_RUN_BY}a_code_is_good_one_step_before_and_after_now"),
    Row("PlatformUser", "replay of a step refused", "verb", f"{_RUN_BY}a_code_used_once_is_refused_for_ever_after"),
    Row(
        "PlatformUser", "replay of a step refused in a race", "transaction",
        f"{_RUN_BY}of_many_who_send_one_code_at_the_same_time_one_gets_in",
    ),
    Row(
        "PlatformUser", "a recovery code is good once and nobody else's", "verb",
        f"{_RUN_BY}a_recovery_code_stands_in_once_and_is_nobody_elses",
    ),
    Row("PlatformUser", "wrong codes lock", "verb", f"{_RUN_BY}wrong_codes_lock_and_asking_for_one_does_not"),
    Row("PlatformUser", "wrong tries anywhere lock", "verb", f"{_RUN_BY}wrong_tries_at_the_other_doors_count_too"),
    Row("PlatformUser", "TOTP secret and recovery codes are not kept in clear", "verb", f"{_RUN_BY}nothing_of_it_is_kept_as_it_was_shown"),
    Row("PlatformUser", "a secret opens for its own row only", "verb", f"{_RUN_BY}a_secret_copied_to_a_colleague_opens_nothing"),
    Row("PlatformUser", "TOTP on only with a secret", "check", f"{_RUN_BY}the_database_refuses_a_factor_without_a_secret"),
    Row("PlatformUser", "a lost second factor is reset from the command line", "verb", f"{_RUN_BY}a_lost_one_is_reset_from_the_command_line"),
    Row("PlatformUser", "GET /platform/users", "route", _OUT),
    Row("PlatformUser", "POST /platform/users/{user_id}:disable", "route", _OUT),
    Row("PlatformUser", "POST /platform/users/{user_id}:enable", "route", _OUT),
    Row("PlatformUser", "POST /platform/mfa/enroll", "route", _FACTOR),
    Row("PlatformUser", "POST /platform/mfa/verify", "route", _FACTOR),
    Row("PlatformUser", "POST /platform/mfa/remove", "route", f"{_RUN_BY}it_is_taken_away_with_both_factors_and_all_tokens_end"),
)  # fmt: skip
