"""The digests of the "complex" handshake, which Flash Player 9 introduced and the specification does not describe.

C1 and S1 each contain an HMAC-SHA256 of their other bytes. Four bytes of the packet give its offset; the two
schemes differ in the position of these bytes. S2 proves that the server has read C1's digest.
"""

import hmac
from enum import Enum
from hashlib import sha256

DIGEST_SIZE = 32
OFFSET_RANGE = 728

COMMON_KEY = bytes.fromhex("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae")
PLAYER_KEY = b"Genuine Adobe Flash Player 001"
SERVER_KEY = b"Genuine Adobe Flash Media Server 001"


class Scheme(Enum):
    """The position of the four bytes that give the digest's offset."""

    KEY_FIRST = 772
    DIGEST_FIRST = 8


def find_digest(c1: bytes) -> tuple[Scheme, bytes] | None:
    """The scheme and the digest of ``c1``, or None without a valid digest: then the simple handshake is used."""
    for scheme in Scheme:
        at = digest_offset(c1, scheme)
        digest = c1[at : at + DIGEST_SIZE]
        if hmac.compare_digest(digest, packet_digest(c1, at, PLAYER_KEY)):
            return scheme, digest
    return None


def put_digest(packet: bytes, scheme: Scheme, key: bytes = SERVER_KEY) -> bytes:
    """``packet`` (C1 or S1) with its digest inserted."""
    at = digest_offset(packet, scheme)
    return packet[:at] + packet_digest(packet, at, key) + packet[at + DIGEST_SIZE :]


def answer_digest(peer_digest: bytes, random: bytes, key: bytes = SERVER_KEY) -> bytes:
    """S2 (or C2): ``random``, followed by the proof."""
    proof_key = hmac.digest(key + COMMON_KEY, peer_digest, sha256)
    return random + hmac.digest(proof_key, random, sha256)


def digest_offset(packet: bytes, scheme: Scheme) -> int:
    at = scheme.value
    return at + 4 + sum(packet[at : at + 4]) % OFFSET_RANGE


def packet_digest(packet: bytes, at: int, key: bytes) -> bytes:
    return hmac.digest(key, packet[:at] + packet[at + DIGEST_SIZE :], sha256)
