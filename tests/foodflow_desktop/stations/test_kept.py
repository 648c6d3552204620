from __future__ import annotations

from foodflow_desktop.stations.kept import Kept


def test_a_picture_is_made_once_until_it_is_forgotten():
    kept, made = Kept(), []
    for turns in (1, 1, 2):
        if turns == 2:
            kept.forget()
        assert kept.get(lambda: made.append("made") or len(made)) == turns


def test_what_changes_while_a_picture_is_made_is_in_the_next_one():
    """The store tells of a commit on its own thread, whatever the screen is doing."""
    kept, samples = Kept(), [1]

    def make():
        seen = list(samples)
        if len(samples) == 1:
            samples.append(2)
            kept.forget()
        return seen

    assert kept.get(make) == [1]
    assert kept.get(make) == [1, 2]
