"""One plain sentence for each error code: what happened, and what to do.

English is here because logs and API answers need it; the kiosk translates by code.
Keep the table sorted by code. ``tests/every/test_errors.py`` fails on a code that is
raised anywhere and missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SENTENCES: dict[str, str] = {
    "action_not_in_plan": "The HACCP plan does not allow this action here: choose one of those shown.",
    "already_shipped": "This pallet has already left with document {document_no}.",
    "body_unreadable": "This record cannot be read: {where} is not as expected. It is kept and waits for a person.",
    "ca_unreadable": "The server did not show a certificate that can be read.",
    "cannot_be_taken_back": "This kind of entry cannot be undone: a supervisor corrects it.",
    "certificate_untrusted": "This is not the server this terminal was paired with. Nothing was sent. Call your supervisor.",
    "check_unknown": "This check is not known here any more: go back to Checks.",
    "control_unreadable": "The simulators do not understand this: {why}.",
    "counts_missing": "Enter good and scrap before signing.",
    "deviation_unknown": "This deviation was not opened on this terminal: a supervisor can see it on the laptop.",
    "device_garbled": "{device} sends something that cannot be read. Check cable and settings.",
    "device_silent": "{device} has not been heard for {seconds} s. Check that it is switched on.",
    "device_unknown": "There is no device {device} on this terminal.",
    "device_unplugged": "Nothing is connected at {port}. Check the cable.",
    "disk_full": "The disk of this terminal is full: nothing was saved. Call maintenance.",
    "ends_before_start": "A stop cannot end before it began.",
    "fact_too_long": "This record is too long to be saved. Shorten the note.",
    "fact_unreadable": "This record cannot be read ({where}: {why}). It is kept and waits for a person.",
    "fault_unknown": "The simulated {device} has no fault {fault}.",
    "feed_epoch_changed": "The server was restored: this terminal fetches its master data again.",
    "feed_not_dense": "The server left out part of its decisions: this terminal asks again.",
    "folder_in_use": "FoodFlow is already running with this data folder.",
    "gate_closed": "The batch cannot start yet: see which point is still open.",
    "gs1_character": "This label cannot be read: {character} is not allowed in ({ai}). Scan again or type it.",
    "gs1_check_digit": "This label cannot be right: the check digit of ({ai}) {value} should be {needed}. Scan again.",
    "gs1_date": "This label cannot be right: ({ai}) {value} is not a date.",
    "gs1_empty": "The code is empty. Scan again.",
    "gs1_not_digits": "This label cannot be read: ({ai}) must be digits, not {value}. Scan again.",
    "gs1_prefix_missing": "This company has no GS1 company prefix yet: ask the administrator to enter it.",
    "gs1_repeated": "This label contradicts itself: ({ai}) is on it twice with different values.",
    "gs1_separator_missing": "This label is printed wrong: after ({ai}) the separator is missing.",
    "gs1_unknown_ai": "This label has something this plant does not use: ({ai}).",
    "gs1_value_too_long": "This label cannot be right: ({ai}) may have {longest} characters, not {value}.",
    "gs1_value_too_short": "This label cannot be read: ({ai}) needs {shortest} characters, not {value}. Scan again.",
    "gs1_wrong_length": "This code cannot be right: {value} must have {needed} digits.",
    "hardware_file_wrong": "The hardware file is wrong in {section}: {why}",
    "hub_answer_unreadable": "The server gave an answer that cannot be read.",
    "hub_failed": "The server has a fault. Everything is kept here and sent later.",
    "hub_unreachable": "The server cannot be reached. Everything is kept here and sent later.",
    "illegal_move": "This cannot be done now: the {machine} is {state}.",
    "keys_no_desktop": "There is no desktop key store on this machine.",
    "keys_other_machine": "The keys of this terminal were sealed on another machine, or changed. Pair it anew.",
    "kind_unknown": "This program has no record of the kind {kind}.",
    "limits_missing": "A critical control point needs at least one critical limit.",
    "limits_out_of_order": "The limits are not in order: lowest first, highest last.",
    "line_busy": "Another batch is running on this line. Finish it first.",
    "lot_held": "Lot {lot_code} is on hold: {reason}. Only a QA manager can release it.",
    "lot_not_packable": "Lot {lot_code} cannot be packed: it is {status}.",
    "lot_not_released": "Lot {lot_code} is not released yet: it is {status}.",
    "lot_rejected": "This lot is rejected. The batch cannot go on.",
    "mixed_files": "Sensor data and other records cannot be saved together.",
    "mixed_units": "{left} and {right} cannot be added: convert one of them first.",
    "modbus_garbled": "{device} sends something that cannot be read. Check cable and settings.",
    "modbus_refused": "{device} does not have the register it was asked for ({why}). Check the hardware file.",
    "no_check_open": "Choose a check first.",
    "no_override": "This stop cannot be overruled: put the material back.",
    "no_second_attempt": "Measure again was used already: save this reading.",
    "no_test_pieces": "Send the test pieces through first, then say what was rejected.",
    "not_a_material": "This code is not a material of this plant: {code}.",
    "not_enough_made": "Only {free} of lot {lot_code} can still be packed.",
    "not_paired": "This terminal is not paired yet: nothing can be recorded. Pair it first.",
    "not_signed_in": "Sign in first.",
    "nothing_to_issue": "Scan a material and check its amount first.",
    "own_work": "Another person must release this: you took the failed check.",
    "pair_unsent": "{waiting} records are not sent yet: this terminal cannot be paired anew before they are.",
    "pairing_not_approved": "The pairing is not approved yet.",
    "pairing_not_begun": "No pairing was begun on this terminal.",
    "probe_open_circuit": "The probe {tag} is broken or not plugged in.",
    "probe_out_of_range": "The probe {tag} shows {value}, which it cannot measure ({low} to {high}). Check the probe.",
    "probe_stuck": "The probe {tag} has shown exactly the same value for {seconds} s. Check it.",
    "push_header_bad": "The first line of the batch is not a header this server knows: {why}",
    "push_line_too_long": "Record {seq} is longer than allowed.",
    "push_torn": "The batch is incomplete. Nothing of it was stored; send it again.",
    "reading_not_ready": "This reading cannot be saved yet: see what the screen says.",
    "reason_unknown": "The reason {code} is not known here.",
    "recording_differs": "The recording {port} does not contain what was sent: {sent}",
    "scale_busy": "The scale is not ready: keep it still and try again.",
    "scale_command_refused": "The scale cannot do this now.",
    "scale_command_unknown": "This scale does not know the command.",
    "scale_fault": "The scale reports a fault of its own: {fault}. Call maintenance.",
    "scale_frame_garbled": "The scale sent something that cannot be read. It was not used.",
    "scale_line_noise": "The scale could not read what it was sent: check its cable.",
    "scale_overload": "Too heavy for this scale: remove the load.",
    "scale_parameter_wrong": "The scale does not accept this value.",
    "scale_underload": "Below what this scale can weigh: put its pan back and set zero.",
    "scale_unit_unknown": "The scale shows {unit}, which is not a weight. Set it to g or kg.",
    "scan_garbled": "The scanner sent something that cannot be read. Scan again.",
    "snapshot_part_wrong": "A part of the master data arrived damaged: it is fetched again.",
    "sqlite_too_old": "SQLite {found} can damage data: version {needed} or later is needed.",
    "sscc_serial_too_long": "Pallet number {serial} does not fit into {places} digits.",
    "store_closed": "The program is closing: nothing more is saved.",
    "store_damaged": "The data file of this terminal is damaged: nothing was saved. Call maintenance.",
    "store_layout_unknown": "The data file has a layout that this program cannot read (found {found}).",
    "unit_differs": "This lot is counted in {expected}, not in {uom}.",
    "unknown_move": "A batch cannot be moved this way.",
    "unknown_unit": "The unit {uom} is not known here.",
    "unresolved": "This record names a {entity} that is not here yet. It waits for it.",
    "user_missing": "Nobody is signed in: sign in first.",
    "void_without_target": "This entry does not say which one it takes back.",
}


def sentence(code: str, data: Mapping[str, Any]) -> str:
    """The sentence for a code, filled with the case's data; the code itself if unknown."""
    template = SENTENCES.get(code)
    if template is None:
        return code.replace("_", " ").capitalize() + "."
    return template.format_map(_Shown(data))


class _Shown(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
