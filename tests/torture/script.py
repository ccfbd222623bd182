"""What one bad publisher does, as a value: its messages, their times and framing, and how it leaves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from typing import NamedTuple

from tests.lab.rtmp.flv import AAC_SEQUENCE_HEADER, AUDIO, AVC_SEQUENCE_HEADER, SCRIPT, VIDEO


class Message(NamedTuple):
    """``at`` is when it is sent, in milliseconds from the start. ``timestamp`` is in milliseconds, modulo 2^32 on
    the wire. ``data`` is the body of an FLV tag. ``picture`` and ``sound`` number the whole pictures and the audio
    frames in the order of presentation; None for a message that is neither. ``key``: whether decoding can start at
    it."""

    at: int
    type_id: int
    timestamp: int
    data: bytes
    picture: int | None = None
    sound: int | None = None
    key: bool = False

    @property
    def is_header(self) -> bool:
        """Whether it is a sequence header."""
        if self.type_id == VIDEO:
            return self.data[:2] in AVC_SEQUENCE_HEADER
        return self.type_id == AUDIO and self.data[:2] in AAC_SEQUENCE_HEADER

    @property
    def is_metadata(self) -> bool:
        return self.type_id == SCRIPT

    @property
    def is_key(self) -> bool:
        """Whether it begins a picture from which decoding can start."""
        return self.key and self.picture is not None


class Write(StrEnum):
    """How the bytes of a message are divided among the writes to the socket."""

    WHOLE = "whole"
    BYTES = "bytes"
    PIECES = "pieces"


@dataclass(frozen=True, slots=True)
class Framing:
    """How messages become chunks. ``chunk_sizes`` are used in turn, a new one every ``change_every`` messages,
    within a message if ``within``. ``streams`` maps message types to chunk streams. ``formats``: whether headers
    are as short as possible. ``repeat_extended``: whether continuing chunks repeat the extended timestamp.
    ``aggregate``: how many messages are one aggregate message. ``interleave``: whether chunks of audio are sent
    between those of video. ``abort_every``: after so many messages, one is begun, aborted and sent again; 0 for
    never."""

    chunk_sizes: tuple[int, ...] = (4096,)
    change_every: int = 0
    within: bool = False
    streams: tuple[tuple[int, int], ...] = ((AUDIO, 4), (VIDEO, 6), (SCRIPT, 4))
    formats: bool = False
    repeat_extended: bool = True
    aggregate: int = 1
    interleave: bool = False
    abort_every: int = 0
    write: Write = Write.WHOLE


class Ending(StrEnum):
    """How a publisher leaves."""

    POLITE = "it unpublishes and closes the connection"
    FC_UNPUBLISH = "it sends FCUnpublish alone and closes the connection"
    GONE = "it closes the connection without a command"
    CUT = "its connection breaks within a message"


@dataclass(frozen=True, slots=True)
class Session:
    """One connection. ``pause_s`` is the time since the connection before it."""

    messages: tuple[Message, ...]
    ending: Ending = Ending.POLITE
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Script:
    """``damaged`` are the numbers of the pictures that the bends themselves destroy, or that depend on one.
    ``loose``: the bends leave open how sound and picture belong together. ``unordered``: they leave open the order
    of the pictures. ``deaf``: they destroy audio frames. ``sessions`` are set if the publisher returns."""

    messages: tuple[Message, ...]
    damaged: frozenset[int] = frozenset()
    loose: bool = False
    unordered: bool = False
    deaf: bool = False
    framing: Framing = Framing()
    ending: Ending = Ending.POLITE
    sessions: tuple[Session, ...] = field(default=())

    def bent(
        self, messages: Iterable[Message], *, loose: bool = False, unordered: bool = False, deaf: bool = False
    ) -> "Script":
        """The script with other messages. What bends leave open stays open."""
        return replace(
            self,
            messages=tuple(messages),
            loose=self.loose or loose,
            unordered=self.unordered or unordered,
            deaf=self.deaf or deaf,
        )

    def damage(self, numbers: Iterable[int]) -> "Script":
        """The pictures ``numbers`` cannot be shown, nor can those after them up to the next keyframe."""
        lost, broken = set(numbers), False
        damaged = set(self.damaged)
        for message in self.messages:
            number = message.picture
            if number is None:
                continue
            if number in lost:
                broken = True
            elif message.is_key:
                broken = False
            if broken:
                damaged.add(number)
        return replace(self, damaged=frozenset(damaged))

    def all_sessions(self) -> tuple[Session, ...]:
        return self.sessions or (Session(self.messages, self.ending),)


class Unsuitable(Exception):
    """A bend cannot be applied after those before it."""


Bent = tuple[Script, str]
"""A bent script, and what was bent in words."""

Bend = Callable[[Script, Random], Bent]
"""A pure function: the same script and random numbers give the same result. Its name is the bend's name."""
