"""Certificates as a public authority issues them: signed by an intermediate one, which comes with them."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: the certificate with its chain, its key, and the root that clients have to trust."""

    chain: Path
    key: Path
    root: Path

    @property
    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context

    @property
    def client_context(self) -> ssl.SSLContext:
        """Trusts this root alone."""
        return ssl.create_default_context(cafile=str(self.root))


class Authority:
    def __init__(self) -> None:
        self._root = trustme.CA()
        self._intermediate = self._root.create_child_ca()

    def issue(self, folder: Path, *hosts: str, expires: datetime | None = None) -> Certificate:
        """Write a certificate for ``hosts`` into ``folder``, over the one that is there."""
        folder.mkdir(parents=True, exist_ok=True)
        made = Certificate(folder / "fullchain.pem", folder / "privkey.pem", folder / "root.pem")
        issued = self._intermediate.issue_cert(*hosts, not_after=expires)
        made.chain.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        made.key.write_bytes(issued.private_key_pem.bytes())
        made.root.write_bytes(self._root.cert_pem.bytes())
        return made
