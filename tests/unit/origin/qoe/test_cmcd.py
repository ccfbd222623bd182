"""Reports of players: examples of the specification and of its reference implementation, and arbitrary bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.qoe.cmcd import (
    KEYS,
    MAX_LINES,
    MAX_REPORT,
    MAX_REPORTS,
    BadReport,
    Report,
    Stalls,
    count_reports,
    parse_body,
    parse_report,
)

NAMES = 'sid="s",cid="studio"'
# CTA-5004-B in its reference implementation (@svta/cml-cmcd): an event with every key.
EVENT = (
    'ab=(2500),bg,bl=(5000),br=(200),bs,bsd=(2000),cdn="cdn-provider",cid="content-id",com.example-exists,'
    'com.example-hello="world",com.example-quote="\\"Quote\\"",com.example-testing=1234,com.example-token=s,cs="123456",'
    'd=325,dfa=5,dl=10000,e=t,ec=("ERR001" "ERR002"),lab=(200),lb=(100),ltc=1500,msd=2500,mtp=(10000),'
    'nor=("../testing/3.m4v"),ot=m,pb=(1000),pt=45000,rtp=8000,sf=d,sid="session-id",sn=1,st=v,sta=p,su,tab=(3000),'
    "tb=(5000),tbl=(8000),tpb=(4000),ts=1640995200000,v=2"
)
# CTA-5004-A, 6: version 1.
VERSION_1 = (
    'bl=21300,br=3200,bs,cid="faec5fc2-ac30-11ea-bb37-0242ac130002",d=4004,dl=18500,mtp=48100,'
    'nor="..%2F300kbps%2Ftrack.m4v",'
    'nrr="12323-48763",ot=v,pr=1.08,rtp=12000,sf=d,sid="6e2fb550-c457-11e9-bb97-0800200c9a66",st=v,su,tb=6000'
)


def report(text: str) -> Report:
    return parse_report(f"{NAMES},{text}" if text else NAMES)


def test_an_event_of_version_2() -> None:
    assert parse_report(EVENT) == Report(
        session="session-id",
        stream="content-id",
        event="t",
        state="p",
        at_ms=1_640_995_200_000,
        start_ms=2500,
        latency_ms=1500,
        kbps=200,
        starved=True,
        stalls=Stalls(1, 2000),
        errors=("ERR001", "ERR002"),
    )


def test_a_request_of_version_1() -> None:
    assert parse_report(VERSION_1) == Report(
        session="6e2fb550-c457-11e9-bb97-0800200c9a66",
        stream="faec5fc2-ac30-11ea-bb37-0242ac130002",
        kbps=3200,
        starved=True,
    )


@pytest.mark.parametrize(
    ("text", "kbps", "audio_only"),
    [
        ("br=(2500;v 128;a)", 2500, False),
        ("br=(128;a 2500;v)", 2500, False),
        ("br=(2600;av)", 2600, False),
        ("br=(2500)", 2500, False),
        ("br=2500,ot=v", 2500, False),
        ("br=(128;a)", 128, True),
        ("br=128,ot=a", 128, True),
        ("br=3200.7", 3201, False),
        ("br=()", None, False),
        ('br="x"', None, False),
        ("br=-1", None, False),
        ("br=99999999", None, False),
        ("br=?1", None, False),
    ],
)
def test_bitrates(text: str, kbps: int | None, audio_only: bool) -> None:
    assert (report(text).kbps, report(text).audio_only) == (kbps, audio_only)


@pytest.mark.parametrize(
    ("text", "stalls"),
    [
        ("bsd=(2000 500)", Stalls(2, 2500)),
        ("bsd=2000", Stalls(1, 2000)),
        # Picture and sound stand still at the same time.
        ("bsd=(2000;v 1900;a)", Stalls(1, 2000)),
        ("bsd=(2000;v 500;v 1900;a)", Stalls(2, 2500)),
        ("bsd=(99999999999)", None),
        ("bsd=()", None),
    ],
)
def test_stalls(text: str, stalls: Stalls | None) -> None:
    assert report(text).stalls == stalls


def test_totals_of_a_session() -> None:
    totals = report("bsa=(3;v 2;a),bsda=(4200)")
    assert (totals.all_stalls, totals.all_stalled_ms) == (3, 4200)


def test_values_out_of_range_are_absent() -> None:
    assert report("ltc=-5,msd=700000,ts=9999999999999999,sta=x,bs=?0") == Report(session="s", stream="studio")


def test_the_stream_and_the_rendition_of_a_response() -> None:
    url = "https://a.example/tv/live/studio-a/20261121t104105z-ab12cd/v720p/12.3.m4s?CMCD=x"
    found = parse_report(f'sid="s",e=rr,rc=200,url="{url}"')
    assert (found.stream, found.track) == ("studio-a", "v720p")
    assert parse_report(f'sid="s",cid="other",url="{url}"').stream == "other"
    assert report('url="https://a.example/live/studio-a/master.m3u8"').track is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        'cid="studio"',
        'sid="s"',
        'sid="",cid="studio"',
        f'sid="{"s" * 65}",cid="studio"',
        'sid="s",cid="Not A Stream"',
        'sid="s",cid="../x"',
        "sid=1,cid=2",
        f"{NAMES},a=(",
        f'{NAMES},x="{"a" * MAX_REPORT}"',
    ],
)
def test_bad_reports(text: str) -> None:
    with pytest.raises(BadReport):
        parse_report(text)


def test_a_body_has_a_report_in_each_line() -> None:
    body = f'{NAMES},sta=s\r\n\n  \nnonsense(\n{NAMES},sta=p\nsid="t",cid="studio"'.encode()
    reports, bad = parse_body(body)
    assert [(each.session, each.state) for each in reports] == [("s", "s"), ("s", "p"), ("t", None)]
    assert bad == 1


def test_further_reports_are_not_read() -> None:
    reports, bad = parse_body(f"{NAMES}\n".encode() * (MAX_REPORTS + 7))
    assert (len(reports), bad) == (MAX_REPORTS, 7)
    assert parse_body(b"\n" * 1000 + NAMES.encode()) == ([], 1001 - MAX_LINES)
    assert parse_body(b"\n" * MAX_LINES) == ([], 0)


def test_reports_are_counted_before_they_are_read() -> None:
    assert count_reports(b"") == 0
    assert count_reports(b"a") == count_reports(b"a\n") == 1
    assert count_reports(b"a\nb") == 2
    assert count_reports(b"\n" * 1000) == MAX_REPORTS


@given(st.binary(max_size=2000))
def test_any_body_is_read(body: bytes) -> None:
    reports, bad = parse_body(body)
    assert len(reports) <= count_reports(body)
    assert len(reports) + bad <= body.count(b"\n") + 1


VALUES = st.one_of(
    st.integers(-(10**15), 10**15).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:.3f}"),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=20).map(
        '"{}"'.format
    ),
    st.sampled_from(["?1", "?0", "tok", "@5", "(1;v 2;a)", "()", '("a" b 1)']),
)


@given(st.lists(st.tuples(st.sampled_from(sorted(KEYS)), VALUES), max_size=20))
def test_any_values_are_in_range_or_absent(pairs: list[tuple[str, str]]) -> None:
    reports, bad = parse_body(",".join(f"{key}={value}" for key, value in pairs).encode())
    assert len(reports) + bad <= 1
    for each in reports:
        numbers = (each.at_ms, each.start_ms, each.latency_ms, each.kbps, each.all_stalls, each.all_stalled_ms)
        assert all(number is None or number >= 0 for number in numbers)
