"""What the doctor finds, and what it advises."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.config import Address, Config
from control.doctor import certificate as certificates
from control.doctor import encoding as encodings
from control.doctor import machine
from control.doctor.examination import examine
from control.doctor.finding import Finding, State
from control.doctor.store import examine_store
from tests.lab.certificates import PAST, Authority
from transcoder.errors import EncoderUnavailable
from transcoder.speed import Speed


def config_of(folder: Path, **sections: object) -> Config:
    return Config.model_validate({"data": folder, **sections})


def states(findings: Iterator[Finding]) -> list[State]:
    return [finding.state for finding in findings]


@pytest.fixture
def taken() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Address(*listener.getsockname()[:2])


def test_a_port_that_another_program_has_is_a_fault(tmp_path: Path, taken: Address) -> None:
    config = config_of(tmp_path, rtmp={"listen": str(taken)}, http={"listen": "127.0.0.1:0"})
    free, used = machine.ports(config)
    assert free.state is State.GOOD
    assert used == Finding(
        "port for RTMP", State.FAULT, f"{taken} is in use by another program", "stop it, or change [rtmp] listen"
    )


def test_a_port_of_the_running_server_is_good(
    tmp_path: Path, taken: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "is_running", lambda config: True)
    config = config_of(tmp_path, rtmp={"listen": "off"}, http={"listen": str(taken)}, rtmps=rtmps_of(tmp_path))
    assert next(machine.ports(config)) == Finding("port for HTTP", State.GOOD, f"{taken}: the server is running")


def test_an_address_of_another_machine_is_a_fault(tmp_path: Path) -> None:
    config = config_of(tmp_path, http={"listen": "192.0.2.1:8080"}, rtmp={"listen": "127.0.0.1:0"})
    finding = next(machine.ports(config))
    assert (finding.state, finding.advice) == (State.FAULT, "change [http] listen")


def test_a_limit_of_open_files_that_is_too_low_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "raise_descriptor_limit", lambda: 1024)
    (finding,) = machine.descriptors(config_of(tmp_path))
    assert finding.state is State.WARNING
    assert "LimitNOFILE" in finding.advice


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "measure", lambda paths: {str(next(iter(paths))): "the disk is nearly full"})
    (finding,) = machine.disks({tmp_path / "not" / "yet"})
    assert (finding.state, finding.text) == (State.WARNING, "the disk is nearly full")


def rtmps_of(folder: Path, *hosts: str, **options: object) -> dict[str, str]:
    made = Authority().issue(folder / "tls", *(hosts or ("in.example.org",)), **options)  # type: ignore[arg-type]
    return {"certificate": str(made.chain), "key": str(made.key)}


def test_an_authority_that_encoders_do_not_know_is_a_warning(tmp_path: Path) -> None:
    (finding,) = certificates.certificate(config_of(tmp_path, rtmps=rtmps_of(tmp_path)))
    assert finding.state is State.WARNING
    assert "such as OBS, refuse it: " in finding.text and "whole chain" in finding.advice


def test_a_certificate_that_encoders_accept_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rtmps = rtmps_of(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "root.pem"))
    (finding,) = certificates.certificate(config_of(tmp_path, rtmps=rtmps))
    assert finding.state is State.GOOD and "valid for in.example.org" in finding.text
    (other,) = certificates.certificate(config_of(tmp_path, rtmps=rtmps, rtmp={"public_host": "other.example.org"}))
    assert other.state is State.WARNING and "Hostname mismatch" in other.text


def test_an_expired_certificate_is_a_warning_and_a_missing_one_a_fault(tmp_path: Path) -> None:
    rtmps = rtmps_of(tmp_path, expires=PAST)
    assert states(certificates.certificate(config_of(tmp_path, rtmps=rtmps))) == [State.WARNING]
    Path(rtmps["key"]).unlink()
    assert states(certificates.certificate(config_of(tmp_path, rtmps=rtmps))) == [State.FAULT]


def store_findings(config: Config) -> list[Finding]:
    async def collect() -> list[Finding]:
        return [finding async for finding in examine_store(config)]

    return asyncio.run(collect())


def test_a_directory_is_a_good_store_and_nothing_stays_in_it(tmp_path: Path) -> None:
    findings = store_findings(config_of(tmp_path))
    assert [finding.state for finding in findings] == [State.GOOD, State.GOOD]
    assert not list((tmp_path / "store").rglob("*.m4s"))


def test_a_store_that_does_not_answer_is_a_fault(tmp_path: Path, taken: Address) -> None:
    (tmp_path / "file").write_text("")
    (finding,) = store_findings(config_of(tmp_path, store={"location": str(tmp_path / "file" / "store")}))
    assert finding.state is State.FAULT and finding.advice


@pytest.mark.parametrize(
    ("cores", "state", "fitting"), [(0.35, State.GOOD, "about 4 of"), (2.5, State.WARNING, "about 0")]
)
def test_the_ladders_that_fit_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: float, state: State, fitting: str
) -> None:
    monkeypatch.setattr(encodings, "check_encoder", lambda options: None)
    monkeypatch.setattr(encodings, "measure_speed", lambda *given: Speed(3 * cores, 3))
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1}, raising=False)
    _, finding = encodings.encoding(config_of(tmp_path))
    assert (finding.state, fitting in finding.text) == (state, True)


def test_an_encoder_that_does_not_work_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: object) -> None:
        raise EncoderUnavailable("the encoder h264_nvenc does not work here")

    monkeypatch.setattr(encodings, "check_encoder", fail)
    assert states(encodings.encoding(config_of(tmp_path))) == [State.FAULT]


def test_all_is_examined(tmp_path: Path) -> None:
    config = config_of(tmp_path, rtmp={"listen": "127.0.0.1:0"}, http={"listen": "127.0.0.1:0"})
    subjects = [finding.subject for finding in examine(config)]
    for subject in ("versions", "port for RTMP", "open files", "disk", "store", "encoder", "speed"):
        assert subject in subjects
