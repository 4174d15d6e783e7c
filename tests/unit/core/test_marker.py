"""The marker survives Slurm's comment, whatever the user's own text is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.core import marker

NAME = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?", fullmatch=True)


@st.composite
def markers(draw: st.DrawFn) -> marker.Marker:
    return marker.Marker(
        installation=draw(st.from_regex(marker.INSTALLATION_PATTERN[1:-1], fullmatch=True)),
        namespace=draw(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?", fullmatch=True)),
        name=draw(NAME),
        uid=str(draw(st.uuids())),
        attempt=draw(st.integers(1, 1000)),
        template_hash=draw(st.from_regex(r"[0-9a-f]{16}", fullmatch=True)),
        released=draw(st.booleans()),
    )


@given(markers(), st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_round_trip(mark: marker.Marker, text: str) -> None:
    comment = mark.comment(text)
    assert marker.parse(comment) == mark
    assert marker.user_text(comment) == text


@given(markers(), st.text(max_size=300))
def test_room_is_what_is_left(mark: marker.Marker, text: str) -> None:
    released = mark.note_released().comment(text)
    assert (len(released.encode()) <= marker.COMMENT_BYTES) == (len(text.encode()) <= mark.room()) or not text


def test_foreign_comments_have_no_marker() -> None:
    for comment in ("", "hello", "x [slurmjob.dev/1 i=a o=b/c u=d a=1 h=ab]", "[slurmjob.dev/2 i=a]"):
        assert marker.parse(comment) is None
        assert marker.user_text(comment) == comment
