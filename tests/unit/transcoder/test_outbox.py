from media.units import AccessUnit, Kind
from transcoder.messages import CutAt, Finish, Message, Select, Unit
from transcoder.outbox import LONGEST_REFUSAL, Outbox, OutboxLimits
from transcoder.protocol import MessageReader


def video(dts: int, key: bool = False, size: int = 10) -> AccessUnit:
    return AccessUnit(Kind.VIDEO, dts, 0, key, bytes(size))


def audio(dts: int) -> AccessUnit:
    return AccessUnit(Kind.AUDIO, dts, 0, True, b"a")


def drain(outbox: Outbox) -> list[Message]:
    reader = MessageReader()
    while len(outbox):
        reader.receive_data(outbox.take())
    return list(reader.messages())


def test_order_is_kept() -> None:
    outbox = Outbox(OutboxLimits())
    outbox.cut(0)
    assert outbox.offer(video(0, key=True))
    assert outbox.offer(audio(1))
    outbox.control(Finish())
    assert drain(outbox) == [CutAt(0), Unit(video(0, key=True)), Unit(audio(1)), Finish()]


def test_video_is_shed_until_the_key_unit_of_a_cut() -> None:
    outbox = Outbox(OutboxLimits(units=4))
    assert [outbox.offer(video(n)) for n in range(6)] == [True] * 4 + [False] * 2
    drain(outbox)
    assert not outbox.offer(video(6))
    assert not outbox.offer(video(7, key=True)), "a key unit without a requested cut"
    outbox.cut(8)
    assert not outbox.offer(video(8)), "a unit at a cut that is not a key unit"
    assert outbox.offer(video(9, key=True))
    assert outbox.offer(video(10))
    assert drain(outbox) == [CutAt(8), Unit(video(9, key=True)), Unit(video(10))]
    assert outbox.dropped_video == 5


def test_it_does_not_resume_while_the_queue_is_long() -> None:
    outbox = Outbox(OutboxLimits(units=4))
    for n in range(5):
        outbox.offer(video(n))
    outbox.take()
    outbox.cut(5)
    assert not outbox.offer(video(5, key=True))
    drain(outbox)
    assert outbox.offer(video(6, key=True))


def test_audio_is_shed_after_video() -> None:
    outbox = Outbox(OutboxLimits(units=4))
    for n in range(5):
        outbox.offer(video(n))
    assert [outbox.offer(audio(n)) for n in range(6)] == [True] * 4 + [False] * 2
    assert (outbox.dropped_video, outbox.dropped_audio) == (1, 2)


def test_bytes_are_bounded() -> None:
    outbox = Outbox(OutboxLimits(payload_bytes=1000))
    accepted = sum(outbox.offer(video(n, size=400)) for n in range(10))
    assert accepted == 3
    drain(outbox)
    outbox.cut(10)
    assert outbox.offer(video(10, key=True, size=400))


def test_cuts_alone_never_fill_the_queue() -> None:
    outbox = Outbox(OutboxLimits(units=4))
    for n in range(100):
        outbox.cut(n)
    assert len(outbox) <= 8


def test_preroll_is_outside_the_limits() -> None:
    outbox = Outbox(OutboxLimits(units=4, payload_bytes=1000))
    outbox.cut(1000)
    history = [video(n, key=n == 0, size=400) for n in range(20)]
    outbox.preroll(history)
    assert [outbox.offer(video(1000 + n)) for n in range(6)] == [True] * 4 + [False] * 2
    assert drain(outbox)[:21] == [CutAt(1000), *map(Unit, history)]
    outbox.cut(2000)
    assert [outbox.offer(video(2000 + n, key=n == 0)) for n in range(6)] == [True] * 3 + [False] * 3


def test_a_source_without_keyframes_resumes_at_any_unit_after_a_while() -> None:
    outbox = Outbox(OutboxLimits(units=4))
    assert [outbox.offer(video(n * 3000)) for n in range(6)] == [True] * 4 + [False] * 2
    drain(outbox)
    outbox.cut(12_000)
    shed_from = 4 * 3000
    assert not outbox.offer(video(shed_from + LONGEST_REFUSAL))
    outbox.cut(shed_from + LONGEST_REFUSAL)
    assert outbox.offer(video(shed_from + LONGEST_REFUSAL + 3000))


def test_video_that_waits_too_long_for_the_child_is_refused_wherever_it_waits() -> None:
    outbox = Outbox(OutboxLimits(pending=9000))
    assert [outbox.offer(video(n * 3000)) for n in range(6)] == [True] * 4 + [False] * 2
    drain(outbox)
    assert outbox.behind == 15_000
    outbox.cut(18_000)
    assert not outbox.offer(video(18_000, key=True)), "the child has not taken what it was sent"
    outbox.taken(4)
    outbox.cut(21_000)
    assert outbox.offer(video(21_000, key=True))
    outbox.taken(5)
    assert outbox.behind == 0


def test_a_selection_overtakes_what_waits() -> None:
    outbox = Outbox(OutboxLimits(units=2))
    outbox.cut(0)
    outbox.offer(video(0, key=True))
    outbox.select(Select(frozenset({"v360p"})))
    assert outbox.offer(video(3000)) is False
    assert drain(outbox) == [Select(frozenset({"v360p"})), CutAt(0), Unit(video(0, key=True))]
