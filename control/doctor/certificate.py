"""The certificate for RTMPS, as an encoder that checks it sees it."""

import ssl
import time
from collections.abc import Iterator

from control.certificate import BadCertificate, Certificate
from control.config import Config
from control.doctor.finding import Finding, fault, good, warning
from control.handshake import shake_hands

SUBJECT = "RTMPS certificate"


def certificate(config: Config) -> Iterator[Finding]:
    chain, key = config.rtmps.certificate, config.rtmps.key
    if chain is None or key is None:
        return
    try:
        loaded = Certificate(chain, key)
    except BadCertificate as error:
        yield fault(SUBJECT, str(error), "change [rtmps] certificate and key")
        return
    facts = loaded.facts
    if (text := facts.warning(time.time())) is not None:
        yield warning(SUBJECT, text, "renew it; the server reads it again by itself")
        return
    host = config.rtmp.public_host or facts.name
    if host is None:
        yield warning(SUBJECT, f"{chain} names no host", "set [rtmp] public_host, and use a certificate for it")
        return
    refusal = _refusal(loaded.context, host)
    if refusal is not None:
        advice = f"{chain} needs the whole chain (certbot: fullchain.pem) of an authority that encoders know"
        yield warning(SUBJECT, f"encoders that check it, such as OBS, refuse it: {refusal}", advice)
    else:
        days = (facts.expires_at - time.time()) / 86_400
        yield good(SUBJECT, f"it is valid for {host}, for {days:.0f} more days")


def _refusal(server: ssl.SSLContext, host: str) -> str | None:
    """Why a client with the system's authorities refuses the certificate for ``host``; None if it accepts it."""
    try:
        shake_hands(server, ssl.create_default_context(), host)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError as error:
        return str(error.reason)
    return None
