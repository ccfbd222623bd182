"""The ports for publishers: RTMP, and RTMPS if the operator has a certificate."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from control.certificate import Certificate, CertificateFacts
from control.config import Address, Config
from control.config.urls import local_url, server_line
from control.listening import BACKLOG, listen
from ingest.server import IngestServer


@dataclass(frozen=True, slots=True)
class Port:
    """A listening socket. ``address`` is what it is bound to."""

    listener: socket.socket
    address: Address


class WaysIn:
    """``plain`` is None if RTMP is switched off, ``encrypted`` without a certificate; one of them is open."""

    def __init__(
        self, config: Config, plain: Port | None, encrypted: Port | None, certificate: Certificate | None
    ) -> None:
        self._config = config
        self._plain, self._encrypted = plain, encrypted
        self._certificate = certificate

    @classmethod
    def open(cls, config: Config, *, on_certificate: Callable[[CertificateFacts], None]) -> Self:
        """Raises ListenFailed, BadCertificate."""
        files = config.rtmps.certificate, config.rtmps.key
        certificate = None
        if files[0] is not None and files[1] is not None:
            certificate = Certificate(files[0], files[1], on_loaded=on_certificate)
        plain = Port(*listen(config.rtmp.listen, "RTMP", "--rtmp")) if config.rtmp.listen is not None else None
        try:
            encrypted = (
                Port(*listen(config.rtmps.listen, "RTMPS", "[rtmps] listen")) if certificate is not None else None
            )
        except BaseException:
            if plain is not None:
                plain.listener.close()
            raise
        return cls(config, plain, encrypted, certificate)

    async def start(self, ingest: IngestServer) -> None:
        """Accept publishers."""
        if self._plain is not None:
            await ingest.start(self._plain.listener, backlog=BACKLOG)
        if self._encrypted is not None and self._certificate is not None:
            await ingest.start(self._encrypted.listener, backlog=BACKLOG, tls=self._certificate.context)
            self._certificate.start()

    async def close(self) -> None:
        for port in (self._plain, self._encrypted):
            if port is not None:
                port.listener.close()
        if self._certificate is not None:
            await self._certificate.close()

    @property
    def server_line(self) -> str:
        """What publishers on other machines enter in OBS: the encrypted way if there is one."""
        if self._encrypted is not None and self._certificate is not None:
            name = self._certificate.facts.name
            return server_line(self._config, self._encrypted.address, scheme="rtmps", host=name)
        assert self._plain is not None
        return server_line(self._config, self._plain.address, scheme="rtmp")

    @property
    def local_url(self) -> str:
        """For a publisher on this machine: the plain way if there is one."""
        scheme, port = ("rtmp", self._plain) if self._plain is not None else ("rtmps", self._encrypted)
        assert port is not None
        return local_url(port.address).replace("http", scheme, 1) + f"/{self._config.rtmp.app}"

    def warnings(self, now: float) -> Mapping[str, str]:
        """What is wrong with the certificate at ``now`` (Unix seconds)."""
        if self._certificate is None:
            return {}
        facts, host = self._certificate.facts, self._config.rtmp.public_host
        found = {}
        if (text := facts.warning(now)) is not None:
            found["certificate"] = text
        elif host is not None and not facts.covers(host):
            found["certificate-host"] = (
                f"the RTMPS certificate is for {', '.join(facts.hosts)}, not for {host}: encoders that check it "
                "refuse it; change the certificate or [rtmp] public_host"
            )
        return found
