"""The server's TLS certificate: read from its files, and read again when they change."""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, cast

import structlog

from control.errors import ControlError
from control.handshake import shake_hands

log = structlog.get_logger("control")

# Seconds between two looks at the files.
LOOK_EVERY_S = 5.0
# A certificate should have been renewed by the last sixth of its time: 15 of 90 days.
LAST_SHARE = 1 / 6
DAY_S = 86_400


class BadCertificate(ControlError):
    """The text names the file and says what is wrong with it."""

    code: ClassVar[str] = "bad-certificate"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """``begins_at`` and ``expires_at`` are Unix seconds. ``hosts`` are the names and addresses that the certificate
    is for. Of one that is not valid now, nothing is known."""

    begins_at: float = 0.0
    expires_at: float = 0.0
    hosts: tuple[str, ...] = ()

    @property
    def name(self) -> str | None:
        """A host's name by which publishers can reach this server."""
        return next((host for host in self.hosts if "*" not in host and not _is_address(host)), None)

    def covers(self, host: str) -> bool:
        """Whether the certificate is for ``host`` (RFC 9525, 6.3: ``*`` stands for one label)."""
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts

    def warning(self, now: float) -> str | None:
        """What is wrong at ``now`` (Unix seconds), in words."""
        if now >= self.expires_at:
            return "the RTMPS certificate is not valid: encoders that check it refuse it; renew it"
        left_s = self.expires_at - now
        if left_s > LAST_SHARE * (self.expires_at - self.begins_at):
            return None
        return f"the RTMPS certificate expires in {left_s / DAY_S:.1f} days: renew it; it is read again by itself"


class Certificate:
    """A certificate with its chain, and its key, as PEM files. ``context`` is for connections that begin from now
    on; those that exist keep the certificate that they began with. ``on_loaded`` is called after each load.

    Raises BadCertificate.
    """

    def __init__(
        self, chain: Path, key: Path, *, on_loaded: Callable[[CertificateFacts], None] = lambda facts: None
    ) -> None:
        self._chain, self._key = chain, key
        self._on_loaded = on_loaded
        self._seen = self._identity()
        self.facts = check_certificate(chain, key)
        self.context = _server_context()
        self._load()
        self._watch: asyncio.Task[None] | None = None

    def start(self, every_s: float = LOOK_EVERY_S) -> None:
        """Watch the files."""
        self._watch = asyncio.create_task(self._look(every_s))

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    async def _look(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.refresh()

    async def refresh(self) -> None:
        """Load the files if they have changed. Files that do not fit each other, because only one has been replaced
        yet, change nothing; they are tried again when they change."""
        seen = await asyncio.to_thread(self._identity)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self.facts = await asyncio.to_thread(check_certificate, self._chain, self._key)
        except BadCertificate as error:
            log.warning("the new certificate cannot be used; the old one stays", reason=str(error))
            return
        self._load()
        log.info("the certificate was replaced", hosts=", ".join(self.facts.hosts))

    def _load(self) -> None:
        self.context.load_cert_chain(self._chain, self._key)
        self._on_loaded(self.facts)

    def _identity(self) -> tuple[object, ...]:
        """Changes when one of the files is replaced or written."""
        found: list[object] = []
        for path in (self._chain, self._key):
            with suppress(OSError):
                status = os.stat(path)
                found += [path, status.st_ino, status.st_mtime_ns, status.st_size]
        return tuple(found)


def check_certificate(chain: Path, key: Path) -> CertificateFacts:
    """Read a certificate and its key. Raises BadCertificate."""
    for path in (chain, key):
        try:
            path.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise BadCertificate(f"{path} cannot be read: {reason}") from None
    server = _server_context()
    try:
        server.load_cert_chain(chain, key, password=_no_password)
    except _Encrypted:
        raise BadCertificate(f"{key} is encrypted with a password: store the key without one") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise BadCertificate(f"{key} is not the key of the certificate {chain}") from None
        raise BadCertificate(f"{chain} and {key} are no certificate and key in PEM form ({error.reason})") from None
    return _facts(server, chain)


def _facts(server: ssl.SSLContext, chain: Path) -> CertificateFacts:
    """What a client reads in the certificate: the standard library parses it only in a handshake."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(chain)
    # The certificate itself is trusted, whoever has signed it.
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        fields = shake_hands(server, client).getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        # Encoders may not check it, so it is better than no service.
        log.warning("the certificate is not valid", file=str(chain), reason=error.verify_message)
        return CertificateFacts()
    except ssl.SSLError as error:
        raise BadCertificate(f"{chain} cannot be used: {error.reason}") from None
    names = cast(tuple[tuple[str, str], ...], fields.get("subjectAltName", ()))
    begins, expires = (ssl.cert_time_to_seconds(cast(str, fields[key])) for key in ("notBefore", "notAfter"))
    return CertificateFacts(begins, expires, tuple(value for _, value in names))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    raise _Encrypted


def _server_context() -> ssl.SSLContext:
    """TLS 1.2 or newer; a peer cannot make the server renegotiate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context
