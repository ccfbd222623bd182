"""The page and the counting, without any program."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.counting import PICTURES, SAMPLES
from tests.interop.document import render, summary
from tests.interop.outcome import Case, Decoded, Format, Kind
from tests.interop.suite import Result
from tests.interop.table import FAULTS, PublisherRow, ReaderRow, rows

GOOD = Decoded(240, 8.0, behind_s=1.26)
# ffmpeg 5, then ffmpeg 9.
SUMMARIES = (
    "  Input stream #0:1 (video): 185 packets read (479898 bytes); 182 frames decoded; \n"
    "  Input stream #0:2 (video): 60 packets read (163933 bytes); \n"
    "  Input stream #0:0 (audio): 285 packets read (72379 bytes); 285 frames decoded (291840 samples); \n",
    "[in#0/dash @ 0x1]   Input stream #0:0 (video): 195 packets read (501256 bytes); 182 frames decoded; 0 decode "
    "errors; \n[in#0/dash @ 0x1]   Input stream #0:3 (audio): 295 packets read (74763 bytes); 285 frames decoded; "
    "0 decode errors (291840 samples); \n",
)


def results() -> list[Result]:
    words = "AV1 video is not supported"
    return [
        Result(row, words=words)
        if isinstance(row, PublisherRow) and row.publisher.refused
        else Result(row, missing="it (Debian: it)")
        for row in rows()
    ]


@pytest.mark.parametrize("text", SUMMARIES)
def test_both_forms_of_ffmpegs_summary_are_counted(text: str) -> None:
    assert PICTURES.findall(text) == ["182"]
    assert SAMPLES.findall(text) == ["291840"]


def test_a_row_works_if_it_has_enough_of_both() -> None:
    case = Case(Format.HLS, Kind.RECORDING)
    row = next(row for row in rows() if isinstance(row, ReaderRow) and row.case == case)
    assert Result(row, GOOD).worked
    assert not Result(row, replace(GOOD, sound_s=2.0)).worked
    assert not Result(row, replace(GOOD, pictures=100)).worked
    assert not Result(row, missing="it (Debian: it)").acceptable


def test_a_refused_publisher_needs_words() -> None:
    row = next(row for row in rows() if isinstance(row, PublisherRow) and row.publisher.refused)
    assert Result(row, words="not supported").worked
    assert not Result(row).worked
    assert not Result(row, GOOD, words="not supported").worked


def test_the_page_names_every_row_and_every_fault() -> None:
    page = render(results())
    for row in rows():
        subject = row.reader if isinstance(row, ReaderRow) else row.publisher
        assert f"| {subject.name.partition(',')[0]}" in page
    for fault in FAULTS.values():
        assert fault.text in page and fault.clause in page
    assert "refused in words: AV1 video is not supported" in page
    assert "not installed" in page


def test_the_page_shows_what_failed() -> None:
    found = [
        replace(each, decoded=Decoded(3, 0.1), missing=None) if "ffmpeg of the wheel: " in str(each.row) else each
        for each in results()
    ]
    assert "| **fails**: 3 / 0.1 s |" in render(found)
    assert summary(found).endswith(" 6 fail")


def test_links_of_the_page_lead_to_its_headings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "interop.md").read_text()
    assert "(#readers-that-fail-by-their-own-fault)" in page
    assert "## Readers that fail by their own fault" in page
