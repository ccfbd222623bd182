"""The problems that a route can answer with, for the OpenAPI document: an example of each, by status."""

from dataclasses import dataclass
from typing import Any

from cluster.errors import ClusterUnavailable, OwnerTimeout
from media.errors import HeadwaterError
from origin.api.errors import (
    BadConfiguration,
    BadHookTarget,
    NoStandby,
    NotBanned,
    NoThumbnail,
    NotLive,
    ScopeMissing,
    TooManyFollowers,
    TooManyWrongTokens,
    Unauthorized,
)
from origin.api.problems import MEDIA_TYPE, make_problem, phrase, status_of
from origin.playback.errors import TokenExpired, TokenInvalid
from storage.catalogue import (
    BadStreamName,
    BroadcastNotFound,
    NoBackupKey,
    StreamExists,
    StreamNotFound,
    StreamPurging,
)
from storage.catalogue.api_tokens import BadTokenName, TokenExists, TokenNotFound
from storage.catalogue.key_ring import BadKey, KeyExists, KeyNotFound, TooManyKeys
from storage.catalogue.scopes import Scope
from storage.hooks.deliveries import DeliveryNotFound
from storage.hooks.registry import HookDisabled, HookNotFound, TooManyHooks
from storage.interface import StoreUnavailable
from storage.keeping import BroadcastInUse, BroadcastKept

PROBLEM_REF = "#/components/schemas/Problem"


@dataclass(frozen=True, slots=True)
class KnownProblem:
    status: int
    code: str
    detail: str


def known(error: type[HeadwaterError], detail: str, status: int | None = None) -> KnownProblem:
    return KnownProblem(status or status_of(error), error.code, detail)


BAD_REQUEST = KnownProblem(400, "bad-request", "There was an error parsing the body")
UNAUTHORIZED = known(Unauthorized, "this needs an API token: Authorization: Bearer TOKEN")
TOO_MANY_WRONG_TOKENS = known(TooManyWrongTokens, "too many wrong tokens from your address: try again in 6 s")
TOO_MANY_FOLLOWERS = known(TooManyFollowers, "too many requests wait for events: ask again in a moment")
TOKEN_INVALID = known(TokenInvalid, "this is not a valid path to the stream studio-a: open its link again", 403)
TOKEN_EXPIRED = known(TokenExpired, "this path to the stream has expired: open its link again", 403)
STREAM_NOT_FOUND = known(StreamNotFound, "there is no stream studio-a")
BROADCAST_NOT_FOUND = known(BroadcastNotFound, "studio-a has no broadcast 20261121t104105z-ab12cd")
API_TOKEN_NOT_FOUND = known(TokenNotFound, "there is no token backup")
NO_THUMBNAIL = known(NoThumbnail, "there is no picture of studio-a yet")
STREAM_EXISTS = known(StreamExists, "there is a stream studio-a already")
STREAM_PURGING = known(
    StreamPurging,
    "the recordings of an earlier stream studio-a are being deleted: wait until they are, or choose another name",
)
BROADCAST_IN_USE = known(
    BroadcastInUse,
    "20261121t104105z-ab12cd is on air, or not completely stored: end it first (`headwater kill studio-a`)",
)
BROADCAST_KEPT = known(BroadcastKept, "20261121t104105z-ab12cd is kept: release it first")
API_TOKEN_EXISTS = known(TokenExists, "there is a token backup already: revoke it, or choose another name")
NOT_LIVE = known(NotLive, "studio-a is not live: there is nothing to end")
NO_STANDBY = known(NoStandby, "the backup is not connected: only the primary publishes")
NO_BACKUP_KEY = known(NoBackupKey, "studio-a has no backup key")
NOT_BANNED = known(NotBanned, "studio-a is not banned: there is nothing to lift")
KEY_NOT_FOUND = known(KeyNotFound, "studio-a has no key guest")
KEY_EXISTS = known(KeyExists, "studio-a has a key guest already: rotate or revoke it, or choose another name")
TOO_MANY_KEYS = known(TooManyKeys, "studio-a has 50 keys, which is the limit: revoke one first")
BAD_KEY = known(BadKey, "the expiry is in the past: give one in the future")
REPORTS_OFF = KnownProblem(410, "reports-off", "this server takes no reports of players: do not send any more")
TOO_MANY_REPORTS = KnownProblem(
    429, "too-many-reports", "the server has as many reports as it can take: try again in 1 s"
)
CONTENT_TOO_LARGE = KnownProblem(413, "content-too-large", "a request's body is at most 65536 bytes")
BAD_STREAM_NAME = known(
    BadStreamName,
    "'Studio A' cannot be a stream's name: use 1 to 63 lower-case letters, digits and hyphens, with no hyphen at "
    "either end",
)
BAD_TOKEN_NAME = known(
    BadTokenName,
    "'My Backup' cannot be a token's name: use 1 to 63 lower-case letters, digits and hyphens, with no hyphen at "
    "either end; api-token is the token in the data directory",
)
HOOK_NOT_FOUND = known(HookNotFound, "there is no hook 9f86d081: see `headwater hooks list`")
HOOK_DISABLED = known(HookDisabled, "the hook 9f86d081 is disabled (the target answered 410 Gone): enable it first")
TOO_MANY_HOOKS = known(TooManyHooks, "there are 50 hooks already: remove one first")
DELIVERY_NOT_FOUND = known(DeliveryNotFound, "the hook 9f86d081 has no dead message msg_01a1f2c3d4e5_9f86d081a1b2")
BAD_HOOK_TARGET = known(
    BadHookTarget,
    "hooks.example.org resolves to 10.0.0.5, which is not a public address: to call targets in your own network, "
    "set [hooks] allow_private",
)
INVALID_REQUEST = KnownProblem(422, "invalid-request", "ban_s has to be greater than or equal to 0")
BAD_CONFIGURATION = known(
    BadConfiguration, 'headwater.toml:4: [rtmp] idle_timeout: "10sec" has an unknown unit; did you mean "10s"?'
)
INTERNAL = KnownProblem(500, "internal", "this is a fault in Headwater; its log has the details")
STORE_UNAVAILABLE = known(StoreUnavailable, "the store does not answer; try again later")
CLUSTER_UNAVAILABLE = known(ClusterUnavailable, "the cluster cannot be reached")
OWNER_TIMEOUT = known(OwnerTimeout, "the owner of studio-a did not answer within 5 s")

# Any route may answer with the first group, one that needs a token with the second, one with a body with the third.
OF_EVERY_ROUTE = (INTERNAL, STORE_UNAVAILABLE)
OF_TOKENS = (UNAUTHORIZED, TOO_MANY_WRONG_TOKENS)
OF_BODIES = (BAD_REQUEST, CONTENT_TOO_LARGE, INVALID_REQUEST)
# The owner of the stream is asked.
OF_OWNERS = (CLUSTER_UNAVAILABLE, OWNER_TIMEOUT)


def scope_missing(scope: Scope) -> KnownProblem:
    return known(ScopeMissing, f"this needs a token with the scope {scope}: the token viewer has read")


def responses(*problems: KnownProblem) -> dict[int | str, dict[str, Any]]:
    """The value for a route's ``responses``: ``problems`` and those of every route, grouped by status."""
    grouped: dict[int, list[KnownProblem]] = {}
    for known_problem in sorted((*problems, *OF_EVERY_ROUTE), key=lambda each: each.status):
        grouped.setdefault(known_problem.status, []).append(known_problem)
    return {status: _response(status, group) for status, group in grouped.items()}


def _response(status: int, group: list[KnownProblem]) -> dict[str, Any]:
    examples = {each.code: {"value": _example(each)} for each in group}
    properties: dict[str, Any] = {"status": {"const": status}}
    if status < 500:
        # A fault may have any code: that of the owner's error, for example.
        properties["code"] = {"enum": list(examples)}
    schema = {"allOf": [{"$ref": PROBLEM_REF}, {"properties": properties}]}
    return {"description": phrase(status), "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}}}


def _example(known_problem: KnownProblem) -> dict[str, Any]:
    problem = make_problem(known_problem.status, known_problem.code, known_problem.detail)
    return problem.model_dump(exclude_none=True)
