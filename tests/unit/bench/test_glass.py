from bench.glass import as_text, figures
from tests.lab.players.recorder import Record, Sample, Stall
from tests.lab.players.run import PhaseSpan, Run


def sample(at: float, glass: float | None) -> Sample:
    return Sample(at, position=at, rate=1.01, height=720, latency=1.0, target=1.0, buffered=0.9, glass=glass)


def test_the_figures_are_of_the_last_phase() -> None:
    samples = (sample(1, 9.0), *(sample(10 + n, 1.1 + n / 100) for n in range(10)), sample(20, None))
    record = Record(1.0, samples, (Stall(2, 0.5, 2), Stall(15, 0.5, 15)), ("oh",))
    found = figures(Run("hls", (PhaseSpan(1, 10, None), PhaseSpan(10, 21, None)), record))
    assert as_text(found) == (
        "hls: glass to glass p50 1150 ms, p95 1190 ms, longest 1190 ms (10 samples, 1 unreadable); the page "
        "reports 1000 ms; rate 1.010 to 1.010, 1 stalls, 1 errors"
    )
