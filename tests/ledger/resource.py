"""What every declared resource does."""

from __future__ import annotations

from tests.ledger.row import Row

CONTRACT = "tests/contract/test_contract.py"
RESOURCES = "tests/every/test_resources.py"
ROUTES = "tests/every/test_routes.py"
BULK = "tests/server/core/test_bulk.py"
EXPORT = "tests/server/core/test_export.py"
IDEMPOTENCY = "tests/server/core/test_idempotency.py"
IMPORTS = "tests/server/core/test_imports.py"
LISTING = "tests/server/core/test_listing.py"
PLANTS = "tests/server/core/test_plants.py"

ROWS: tuple[Row, ...] = (
    Row(
        "List",
        "every page follows the last row of the one before, whatever is added between",
        "verb",
        f"{LISTING}::test_rows_added_between_pages_move_no_other_row",
    ),
    Row(
        "List",
        "every sort gives each row once, ties and empty values too",
        "verb",
        f"{LISTING}::test_walking_all_pages_gives_each_row_once_in_order",
    ),
    Row(
        "List",
        "a filter keeps what fits and nothing else, by every operator of a column's type",
        "verb",
        f"{LISTING}::test_a_filter_keeps_what_fits_and_nothing_else",
    ),
    Row(
        "List",
        "retired rows are shown only to who asks for them",
        "verb",
        f"{LISTING}::test_retired_rows_are_shown_to_who_asks_for_them",
    ),
    Row(
        "List",
        "hidden columns are never shown, filtered, sorted or searched",
        "verb",
        f"{LISTING}::test_only_the_fields_that_are_asked_for_are_there_and_none_that_is_hidden",
    ),
    Row(
        "List",
        "what is not in the whitelist is refused by its name",
        "verb",
        f"{LISTING}::test_what_is_not_known_is_refused_by_its_name",
    ),
    Row(
        "List",
        "a cursor belongs to its list and its order",
        "verb",
        f"{LISTING}::test_a_cursor_belongs_to_its_list_and_its_order",
    ),
    Row(
        "Bulk", "each row has its own fate", "verb", f"{BULK}::test_each_row_has_its_own_fate_and_good_ones_are_written"
    ),
    Row(
        "Bulk",
        "atomic writes nothing when one row is refused",
        "transaction",
        f"{BULK}::test_atomic_writes_nothing_when_one_row_is_refused",
    ),
    Row(
        "Bulk",
        "a dry run writes neither row nor audit nor feed",
        "transaction",
        f"{BULK}::test_a_dry_run_says_the_same_and_writes_neither_row_nor_audit_nor_feed",
    ),
    Row(
        "Bulk",
        "each row is changed at the version that was read",
        "verb",
        f"{BULK}::test_rows_are_changed_each_at_the_version_that_was_read",
    ),
    Row("Bulk", "500 rows at most", "verb", f"{BULK}::test_a_body_that_is_no_list_of_rows_or_too_long_is_refused"),
    Row(
        "If-Match",
        "a change without it is 428, of an older version 412",
        "verb",
        f"{RESOURCES}::test_a_row_is_made_changed_and_retired",
    ),
    Row(
        "Retire",
        "a row that a fact cites is retired and stays readable",
        "verb",
        f"{RESOURCES}::test_a_row_is_made_changed_and_retired",
    ),
    Row(
        "Idempotency-Key",
        "the same request again is done once and answered the same",
        "transaction",
        f"{IDEMPOTENCY}::test_the_same_request_again_has_the_same_answer_and_is_done_once",
    ),
    Row(
        "Idempotency-Key",
        "at the same time makes one row",
        "unique",
        f"{IDEMPOTENCY}::test_requests_at_the_same_time_make_one_row",
    ),
    Row(
        "Idempotency-Key",
        "for another request it is refused",
        "verb",
        f"{IDEMPOTENCY}::test_the_same_key_for_another_request_is_refused",
    ),
    Row("Idempotency-Key", "is of its sender only", "verb", f"{IDEMPOTENCY}::test_a_key_is_of_its_sender_only"),
    Row(
        "Export",
        "no cell is a formula, and each can be read back",
        "verb",
        f"{EXPORT}::test_no_cell_is_a_formula_and_each_can_be_read_back",
    ),
    Row(
        "Export",
        "needs its own right, is on record, shows only rows of the own plants",
        "permission",
        f"{EXPORT}::test_an_export_needs_its_own_right",
    ),
    Row("Export", "only rows of the own plants", "verb", f"{EXPORT}::test_only_rows_of_the_own_plant_are_exported"),
    Row(
        "Export",
        "is on record before it begins",
        "transaction",
        f"{EXPORT}::test_an_export_is_on_record_and_a_refused_one_is_not",
    ),
    Row("Export", "memory does not grow with the list", "verb", f"{EXPORT}::test_memory_does_not_grow_with_the_list"),
    Row(
        "Import",
        "a dry run names each bad line and writes nothing",
        "transaction",
        f"{IMPORTS}::test_a_dry_run_names_bad_lines_and_writes_nothing",
    ),
    Row("Import", "atomic is all or nothing", "transaction", f"{IMPORTS}::test_atomic_is_all_or_nothing"),
    Row(
        "Import",
        "what was exported comes back, at the version it was exported at",
        "verb",
        f"{IMPORTS}::test_what_was_exported_comes_back_changed",
    ),
    Row(
        "Import",
        "what is no sheet, too large or a bomb is refused with its reason",
        "verb",
        f"{IMPORTS}::test_what_is_no_sheet_is_refused_with_its_reason",
    ),
    Row(
        "Import",
        "to change rows needs the right to change",
        "permission",
        f"{IMPORTS}::test_who_may_make_rows_but_not_change_them_changes_none",
    ),
    Row(
        "Plant scope",
        "a fact is listed, read and exported at its plant only",
        "verb",
        f"{PLANTS}::test_a_fact_is_listed_read_and_exported_at_its_plant_only",
    ),
    Row(
        "Plant scope",
        "a row refers to nothing at a plant its author does not see",
        "verb",
        f"{PLANTS}::test_a_row_refers_to_nothing_at_a_plant_its_author_does_not_see",
    ),
    Row("Plant scope", "a row refers to its own plant", "verb", f"{PLANTS}::test_a_row_refers_to_its_own_plant"),
    Row(
        "Plant scope",
        "a right at one plant is none over what all share",
        "permission",
        f"{PLANTS}::test_a_right_at_one_plant_is_none_over_what_all_share",
    ),
    Row(
        "Plant scope",
        "a right at one plant changes nothing at another that is seen",
        "permission",
        f"{BULK}::test_a_right_at_one_plant_changes_nothing_at_another_that_is_seen",
    ),
    Row(
        "Routes",
        "every route declares a permission that a role can hold",
        "permission",
        f"{ROUTES}::test_every_route_declares_a_permission",
    ),
    Row("Routes", "another company's rows are 404", "route", f"{RESOURCES}::test_another_company_sees_nothing"),
    Row(
        "OpenAPI",
        "permission, errors and examples of every resource",
        "route",
        f"{ROUTES}::test_the_document_says_permission_errors_and_examples_of_a_resource",
    ),
    Row(
        "OpenAPI",
        "no 5xx, no undocumented status, no other shape",
        "route",
        f"{CONTRACT}::test_the_api_keeps_its_document",
    ),
    Row(
        "Meta",
        "says what the list, its filters and forms do",
        "route",
        f"{RESOURCES}::test_the_description_says_what_the_list_and_its_filters_do",
    ),
    Row(
        "Bulk",
        "all rows of a request are locked in one order before any is written",
        "lock",
        f"{BULK}::test_all_rows_of_a_request_are_locked_in_one_order_before_any_is_written",
    ),
)
