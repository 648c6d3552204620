"""Accounts, sign-in, sessions, second factors, invitations."""

from __future__ import annotations

from tests.ledger.row import Row

_IN = "tests/server/identity"
_TOKENS, _KEYS, _SESSIONS = f"{_IN}/test_tokens.py", f"{_IN}/test_keys.py", f"{_IN}/test_sessions.py"
_FACTOR, _ACCOUNTS, _INVITED = (
    f"{_IN}/test_second_factor.py",
    f"{_IN}/test_accounts.py",
    f"{_IN}/test_invitations.py",
)
_PASSWORDS, _SIGN_IN = f"{_IN}/test_passwords.py", f"{_IN}/test_sign_in.py"


def _rows(by: str, file: str, subject: str, *said: tuple[str, str]) -> tuple[Row, ...]:
    return tuple(Row(subject, says, by, f"{file}::test_{test}") for says, test in said)


ROWS: tuple[Row, ...] = (
    *_rows(
        "verb",
        _TOKENS,
        "Access token",
        ("alg=none is refused", "alg_none_is_refused"),
        ("an HMAC keyed with the public key is refused", "an_hmac_keyed_with_our_public_key_is_refused"),
        ("another algorithm than EdDSA is refused", "another_algorithm_than_the_pinned_one_is_refused"),
        ("another tenant's key id is refused", "a_key_id_of_another_tenant_is_refused"),
        ("a missing or unknown key id is refused", "a_key_id_that_is_missing_or_unknown_is_refused"),
        ("a wrong audience is refused", "a_wrong_audience_is_refused"),
        ("a wrong issuer is refused", "a_wrong_issuer_is_refused"),
        ("an expired one is refused", "an_expired_token_is_refused"),
        ("one of the future is refused", "a_token_of_the_future_is_refused"),
        ("a disabled user's live one is refused", "a_disabled_users_live_token_is_refused"),
        ("one of an older epoch is refused", "a_token_of_an_older_epoch_is_refused"),
    ),
    *_rows(
        "verb",
        _KEYS,
        "SigningKey",
        ("rotation ends no session", "after_a_rotation_the_new_key_signs_and_the_old_tokens_live_to_their_end"),
        (
            "a retired key verifies until its last token ran out",
            "a_retired_key_verifies_nothing_once_its_last_token_has_run_out",
        ),
        ("a stolen key is refused within a minute", "a_stolen_key_is_refused_within_a_minute_also_where_it_is_known"),
        ("the private half is sealed", "the_private_half_is_sealed_for_this_row_and_gone_when_retired"),
        ("rotated by itself after 90 days", "a_key_of_ninety_days_is_rotated_by_itself_and_no_other"),
        ("what a process remembers is bounded", "what_a_process_remembers_is_bounded"),
    ),
    Row("SigningKey", "one signs", "unique", f"{_KEYS}::test_the_database_refuses_keys_that_cannot_be"),
    Row(
        "SigningKey",
        "private half exactly while it signs",
        "check",
        f"{_KEYS}::test_the_database_refuses_keys_that_cannot_be",
    ),
    Row(
        "SigningKey",
        "GET /auth/jwks/{tenant_id}",
        "route",
        f"{_KEYS}::test_whoever_is_shown_a_token_may_check_it_with_the_public_keys",
    ),
    *_rows(
        "transaction",
        _SESSIONS,
        "RefreshToken",
        ("a reused one revokes the family", "a_reused_refresh_token_ends_the_whole_family"),
        ("rotation under lock", "of_two_refreshes_at_the_same_time_one_wins_and_the_other_ends_the_family"),
        ("idle 14 days", "a_session_that_rests_for_fourteen_days_is_over"),
        ("absolute 30 days", "a_session_in_use_ends_after_thirty_days"),
        ("POST /auth/refresh", "refresh_gives_two_new_tokens_and_the_old_access_token_still_holds"),
        ("POST /auth/logout", "signing_out_ends_this_session_only"),
        ("POST /auth/logout-all", "signing_out_everywhere_ends_all"),
    ),
    Row(
        "RefreshToken",
        "expires after it is issued",
        "check",
        f"{_SESSIONS}::test_a_token_that_ends_before_it_begins_is_refused_by_the_database",
    ),
    Row("RefreshToken", "a hash is there once", "unique", f"{_SESSIONS}::test_a_hash_is_there_once"),
    Row(
        "RefreshToken",
        "old families, letters and tries are dropped",
        "verb",
        f"{_ACCOUNTS}::test_what_ended_long_ago_is_dropped_and_what_lives_is_kept",
    ),
    *_rows(
        "transaction",
        _FACTOR,
        "TOTP",
        ("a code is good within one step", "a_code_is_good_one_step_before_and_after_now"),
        ("a used code is refused for ever", "a_code_used_once_is_refused_for_ever_after"),
        ("a code sent twice at once works once", "of_many_who_send_one_code_at_the_same_time_one_gets_in"),
        ("wrong codes lock", "wrong_codes_lock_and_asking_for_one_does_not"),
        ("a recovery code works once", "a_recovery_code_stands_in_once"),
        ("secret sealed, codes hashed", "nothing_of_it_is_kept_as_it_was_shown"),
        ("a sealed secret opens for its person only", "a_secret_copied_to_a_colleague_opens_nothing"),
        ("POST /auth/mfa/enroll", "a_second_factor_is_asked_for_once_it_was_shown_to_work"),
        ("POST /auth/mfa/verify", "the_code_that_switched_it_on_signs_nobody_in"),
        ("POST /auth/mfa/remove", "removing_it_needs_password_and_code_and_ends_the_other_sessions"),
        ("POST /users/{id}:reset-mfa", "an_admin_takes_it_away_from_who_lost_the_phone"),
    ),
    Row(
        "User",
        "a short password only with TOTP",
        "check",
        f"{_FACTOR}::test_a_short_password_is_good_with_a_second_factor_only",
    ),
    Row(
        "User", "TOTP on only with a secret", "check", f"{_FACTOR}::test_the_database_refuses_a_factor_without_a_secret"
    ),
    *_rows(
        "verb",
        _INVITED,
        "Invitation",
        ("POST /users", "an_invited_person_takes_the_account_and_nobody_else_does"),
        ("POST /auth/register", "a_code_used_twice_at_the_same_time_works_once"),
        ("72 hours", "a_code_is_good_for_three_days"),
        ("newest letter only", "only_the_newest_letter_counts"),
        ("same answer for every wrong code", "codes_that_are_not_ours_all_get_the_same_answer"),
        ("nobody gives a role beyond their own", "an_admin_of_one_plant_gives_no_role_elsewhere"),
        ("PATCH /users/{id}", "a_person_is_changed_by_who_read_them_last"),
        ("POST /users:bulk", "many_are_invited_each_with_its_own_fate"),
        ("POST /users:import", "a_sheet_of_people_is_brought_in"),
        ("user: invited activate active", "an_invited_person_takes_the_account_and_nobody_else_does"),
    ),
    Row("Invitation", "one open of a person", "unique", f"{_INVITED}::test_the_database_keeps_one_open_letter"),
    Row(
        "User",
        "badge and e-mail are never another's",
        "trigger",
        f"{_INVITED}::test_names_are_never_given_to_another_even_after_a_change",
    ),
    Row(
        "User",
        "the memory of names never changes",
        "trigger, grant",
        f"{_INVITED}::test_the_memory_of_names_cannot_be_changed",
    ),
    *_rows(
        "machine",
        _ACCOUNTS,
        "User",
        ("user: active lock locked", "the_fifth_wrong_try_locks_and_time_opens"),
        ("user: locked unlock active", "an_admin_opens_a_lock_at_once"),
        ("user: locked disable disabled", "an_admins_lock_ends_everything_until_it_is_opened"),
        ("user: disabled enable active", "a_disabled_person_is_let_in_again_after_a_look_at_who_it_is"),
    ),
    Row(
        "User",
        "user: active disable disabled",
        "machine",
        f"{_SESSIONS}::test_an_admin_disables_somebody_who_is_out_at_once",
    ),
    Row("User", "the last admin cannot be disabled", "verb", f"{_SESSIONS}::test_the_last_admin_cannot_be_disabled"),
    Row(
        "User",
        "disabling revokes tokens and raises the epoch",
        "transaction",
        f"{_SESSIONS}::test_an_admin_disables_somebody_who_is_out_at_once",
    ),
    Row(
        "User",
        "PCQI only with training or experience",
        "check",
        f"{_ACCOUNTS}::test_the_database_refuses_accounts_that_cannot_be",
    ),
    Row(
        "User",
        "the FDA letter follows an identity check",
        "check",
        f"{_ACCOUNTS}::test_the_database_refuses_accounts_that_cannot_be",
    ),
    *_rows(
        "verb",
        _ACCOUNTS,
        "Sign-in",
        ("refused tries do not make a lock longer", "tries_that_the_lock_refuses_do_not_make_it_longer"),
        ("an address that tries many names is refused", "an_address_that_tries_many_names_is_refused"),
        (
            "a stranger's tries end no session and close no terminal",
            "a_strangers_tries_end_no_session_and_close_no_terminal",
        ),
        ("an unknown company takes as long", "an_unknown_company_takes_as_much_work_as_a_known_one"),
    ),
    Row("Sign-in", "POST /auth/login", "route", f"{_SIGN_IN}::test_a_wrong_sign_in_never_says_which_part"),
    Row("Sign-in", "GET /me", "route", f"{_SIGN_IN}::test_me_says_who_and_what_one_may"),
    *_rows(
        "verb",
        _ACCOUNTS,
        "PIN",
        ("set by another: good for setting one's own", "a_pin_set_by_another_is_good_for_setting_ones_own"),
        ("five wrong in a row wait 30 s, doubling", "wrong_pins_make_the_next_try_wait_twice_as_long"),
        ("changed after 365 days", "a_pin_of_a_year_is_changed_before_it_counts_again"),
        ("a supervisor clears the wait", "a_supervisor_clears_the_wait_of_people_of_the_plant_only"),
        ("POST /auth/pin-change", "nobody_learns_from_a_pin_change_who_exists"),
    ),
    Row(
        "PasswordResetToken",
        "POST /auth/password-reset/initiate",
        "route",
        f"{_PASSWORDS}::test_nobody_learns_who_exists",
    ),
    Row(
        "PasswordResetToken",
        "POST /auth/password-reset/confirm",
        "route",
        f"{_PASSWORDS}::test_a_letter_sets_a_new_password_and_ends_all_sessions",
    ),
    Row(
        "PasswordResetToken",
        "one open of a person",
        "unique",
        f"{_PASSWORDS}::test_the_database_refuses_letters_that_cannot_be",
    ),
    Row(
        "User",
        "POST /auth/password-change",
        "route",
        f"{_PASSWORDS}::test_a_changed_password_counts_at_once_and_ends_the_other_sessions",
    ),
    *_rows(
        "limit",
        f"{_IN}/test_devices.py",
        "Device",
        ("terminals that nobody approves do not pile up", "a_flood_of_terminals_that_nobody_approves_is_stopped"),
    ),
    *_rows(
        "verb",
        _FACTOR,
        "User",
        (
            "a second factor that is on is not switched on again",
            "what_is_on_is_not_switched_on_again_and_its_recovery_codes_stay",
        ),
    ),
    *_rows(
        "limit",
        _INVITED,
        "Invitation",
        ("a sheet of people is no larger than others", "a_sheet_of_people_has_no_more_rows_and_bytes_than_others"),
    ),
    *_rows(
        "verb",
        f"{_IN}/test_remembering.py",
        "Session",
        (
            "what another process takes away is gone at the next request",
            "what_is_taken_away_by_another_process_is_gone_at_the_next_request",
        ),
    ),
)
