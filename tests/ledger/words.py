"""Notes and tags."""

from __future__ import annotations

from tests.ledger.row import Row

NOTES = "tests/server/core/test_notes.py"
TAGS = "tests/server/core/test_tags.py"

ROWS: tuple[Row, ...] = (
    Row("Note", "POST /notes", "route", f"{NOTES}::test_a_note_is_written_read_and_said_anew"),
    Row("Note", "POST /notes/{record_id}:supersede", "route", f"{NOTES}::test_a_note_is_written_read_and_said_anew"),
    Row("Note", "note: posted supersede superseded", "machine", f"{NOTES}::test_a_note_is_written_read_and_said_anew"),
    Row(
        "Note",
        "never changed and never deleted: the tenant's role has no right to, and a trigger refuses the owner",
        "grant, trigger",
        f"{NOTES}::test_the_trigger_holds_for_the_owner_too",
    ),
    Row(
        "Note",
        "kind, visibility and length are as declared",
        "check",
        f"{NOTES}::test_the_database_keeps_a_note_as_it_is",
    ),
    Row(
        "Note",
        "one note is said anew by one note only, also by two at once",
        "unique, verb",
        f"{NOTES}::test_of_two_that_say_a_note_anew_at_once_one_does",
    ),
    Row(
        "Note",
        "what is said anew has the record, kind, visibility, plant and author of what it replaces",
        "trigger",
        f"{NOTES}::test_the_database_keeps_a_note_as_it_is",
    ),
    Row("Note", "only its author says a note anew", "verb", f"{NOTES}::test_only_the_author_says_a_note_anew"),
    Row(
        "Note",
        "is about a record that its author may read: its kind, at its plant; else 404",
        "verb, permission",
        f"{NOTES}::test_a_note_is_about_a_record_that_its_author_may_read",
    ),
    Row(
        "Note",
        "is seen by who may read its record, at its plant",
        "permission",
        f"{NOTES}::test_notes_are_seen_with_their_record_and_at_its_plant_only",
    ),
    Row(
        "Note",
        "qa_only is seen by QT, QM and AU",
        "permission",
        f"{NOTES}::test_quality_and_auditors_see_what_is_for_quality_only",
    ),
    Row(
        "Note",
        "qa_only is in no list, filter, search, count of a page or chain of anybody else: filtered in SQL",
        "permission",
        f"{NOTES}::test_nobody_else_does",
    ),
    Row(
        "Note",
        "qa_only is got by its id, acted on, signed or given a file by nobody else",
        "permission",
        f"{NOTES}::test_nobody_else_gets_it_by_its_id_its_verbs_or_a_file",
    ),
    Row(
        "Note",
        "qa_only is in no export of anybody else",
        "permission",
        f"{NOTES}::test_no_sheet_shows_it_to_anybody_else",
    ),
    Row(
        "Note",
        "the trail says that it was written, never what it says",
        "verb",
        f"{NOTES}::test_the_trail_says_that_a_note_was_written_and_never_what",
    ),
    Row(
        "Note",
        "each person it names is told once, by a notification of their own",
        "transaction",
        f"{NOTES}::test_each_person_a_note_names_is_told_once",
    ),
    Row(
        "Note",
        "names nobody who could not see it (422)",
        "verb",
        f"{NOTES}::test_nobody_is_named_who_could_not_see_the_note",
    ),
    Row("Note", "is found by whole words, by a GIN index", "verb", f"{NOTES}::test_a_note_is_found_by_its_words"),
    Row("Note", "another company sees nothing of it", "grant", f"{NOTES}::test_another_company_sees_nothing_of_it"),
    Row("Tag", "POST /tags/{tag_id}:merge", "route", f"{TAGS}::test_a_merge_takes_over_every_record_once"),
    Row("Tag", "tag: active merge merged", "machine", f"{TAGS}::test_a_merge_takes_over_every_record_once"),
    Row("Tag", "tag: active retire retired", "machine", f"{TAGS}::test_a_word_means_one_thing_whatever_its_case"),
    Row(
        "Tag",
        "key and value are unique whatever their case",
        "unique",
        f"{TAGS}::test_a_word_means_one_thing_whatever_its_case",
    ),
    Row(
        "Tag",
        "a merge repoints all links, or none; one that the target has is dropped",
        "transaction",
        f"{TAGS}::test_a_merge_that_breaks_off_has_done_nothing",
    ),
    Row("Tag", "merges at once end in one tag", "transaction", f"{TAGS}::test_merges_at_once"),
    Row(
        "Tag",
        "not merged into itself, into one that has ended, nor in a circle; one of the system is not merged",
        "verb",
        f"{TAGS}::test_what_cannot_be_merged",
    ),
    Row(
        "Tag",
        "one of the system keeps its words, and one that has ended stays ended",
        "trigger, verb",
        f"{TAGS}::test_the_database_keeps_tags_and_links",
    ),
    Row(
        "Tag",
        "one that has ended marks nothing more, and what it marked stays marked",
        "verb",
        f"{TAGS}::test_what_ended_is_neither_given_nor_changed",
    ),
    Row(
        "Tag",
        "a plant tends its own words, the whole company's are tended by who may everywhere",
        "permission",
        f"{TAGS}::test_a_plant_tends_its_own_words",
    ),
    Row("Tag", "another company has its own words", "grant", f"{TAGS}::test_another_company_has_its_own_words"),
    Row("TagLink", "POST /tags/{tag_id}/links", "route", f"{TAGS}::test_a_tag_marks_a_record_once"),
    Row("TagLink", "DELETE /tags/{tag_id}/links/{link_id}", "route", f"{TAGS}::test_a_tag_marks_a_record_once"),
    Row(
        "TagLink",
        "a tag marks a record once, also when many do it at once",
        "unique",
        f"{TAGS}::test_many_who_mark_a_record_at_once_mark_it_once",
    ),
    Row(
        "TagLink",
        "is made, seen and taken away by who may read its record",
        "permission",
        f"{TAGS}::test_only_what_one_sees_is_marked_and_shown",
    ),
)
