"""Translates boto3's errors to the store's errors, each with a sentence about what to change."""

from dataclasses import dataclass

from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from storage.interface import (
    ObjectNotFound,
    PreconditionFailed,
    StorageError,
    StoreMisconfigured,
    StoreUnavailable,
)

_NOT_FOUND = frozenset({"NoSuchKey", "NotFound", "404"})
_CONFLICT = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "412"})
_OF_OBJECTS = frozenset({"GetObject", "HeadObject", "DeleteObject"})
_WRONG_REGION = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
)
_WRONG_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch"})
_EXPIRED_CREDENTIALS = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"})
_DENIED = frozenset({"AccessDenied", "Forbidden", "403"})
_DENIALS = frozenset({"", "Access Denied", "AccessDenied", "Access denied", "Forbidden"})
_BUSY = frozenset(
    {"SlowDown", "RequestTimeout", "RequestTimeoutException", "TooManyRequests", "ThrottlingException"}
)

MAX_WORDS = 500
"""Of the characters of a server's message that an error quotes."""

_READ = "s3:GetObject, and s3:ListBucket on the whole bucket,"
_PERMISSIONS = {
    "PutObject": "s3:PutObject",
    "GetObject": _READ,
    "HeadObject": _READ,
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
}


@dataclass(frozen=True, slots=True)
class Place:
    """The store's location for error texts. ``endpoint`` None is AWS."""

    bucket: str
    prefix: str
    endpoint: str | None

    def __str__(self) -> str:
        location = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{location} at {self.server}"

    @property
    def server(self) -> str:
        return self.endpoint or "AWS"


def translated(error: Exception, place: Place, key: str) -> StorageError:
    if isinstance(error, ClientError):
        return _answered(error, place, key)
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError, boto.NoAuthTokenError)):
        return StoreMisconfigured(
            f"no credentials for {place}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
            "or run with a role (boto3 looks in this order)"
        )
    if isinstance(error, (boto.CredentialRetrievalError, boto.MetadataRetrievalError, boto.TokenRetrievalError)):
        return StoreUnavailable(f"the credentials for {place} cannot be fetched: {error}")
    if isinstance(error, boto.SSLError):
        return StoreMisconfigured(
            f"{place.server} is not trusted: {error}; use a certificate this machine trusts (AWS_CA_BUNDLE), "
            "or http:// if the server speaks plain HTTP"
        )
    if isinstance(error, (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError)):
        return StoreUnavailable(
            f"{place.server} cannot be reached: is the endpoint's host and port right, and is the server running? "
            f"({error})"
        )
    if isinstance(error, ResponseParserError):
        return StoreUnavailable(
            f"{place} sends what no S3 server sends: is the endpoint right? ({str(error)[:MAX_WORDS]})"
        )
    if isinstance(error, (boto.ProfileNotFound, boto.ConfigParseError, boto.ConfigNotFound)):
        return StoreMisconfigured(f"the AWS configuration files cannot be used: {error}")
    if isinstance(error, (boto.ValidationError, boto.ParamValidationError, boto.EndpointProviderError, ValueError)):
        return StoreMisconfigured(f"the settings for {place} cannot be used: {error}")
    return StoreUnavailable(f"{place} failed: {error}")


def wrong_region(place: Place, actual: str | None, reason: str = "") -> StoreMisconfigured:
    if actual:
        return StoreMisconfigured(f"the bucket {place.bucket} is in region {actual}: set the region to {actual}")
    return StoreMisconfigured(f"{place} has another region or endpoint than those set: {reason}")


def words(code: str, message: str) -> str:
    """What the server says: its message, shortened, and its code."""
    if len(message) > MAX_WORDS:
        message = f"{message[:MAX_WORDS]}…"
    return f"{message} ({code})" if message and message != code else code


def _answered(error: ClientError, place: Place, key: str) -> StorageError:
    """The error for an error response. Responses to HEAD have no body, so their code is the status. The text has
    the server's own words, and advice only if the code leaves no doubt."""
    metadata = error.response.get("ResponseMetadata", {})
    status, headers = metadata.get("HTTPStatusCode", 0), metadata.get("HTTPHeaders", {})
    code = error.response.get("Error", {}).get("Code", "") or str(status)
    message = error.response.get("Error", {}).get("Message", "")
    operation, reason = error.operation_name, words(code, message)
    if headers.get("content-type", "").startswith("text/html"):
        reason = f"{reason}; the answer is a web page: is the endpoint right, or does a proxy before it fail?"
    if code in _CONFLICT:
        return PreconditionFailed(f"{key} was written by another writer first")
    if code in _NOT_FOUND and operation in _OF_OBJECTS:
        return ObjectNotFound(f"there is no object {key}")
    if code == "NoSuchKey" and operation == "PutObject":
        # The answer to If-Match for an object that is gone.
        return PreconditionFailed(f"{key} does not exist any more")
    if code == "NoSuchBucket":
        return StoreMisconfigured(
            f"there is no bucket {place.bucket} at {place.server}: create it, or correct the store's name"
        )
    if code in _WRONG_REGION:
        region = error.response.get("Error", {}).get("Region")
        header = headers.get("x-amz-bucket-region")
        return wrong_region(place, str(region or header) if region or header else None, reason)
    if code in _WRONG_CREDENTIALS:
        return StoreMisconfigured(
            f"{place.server} does not accept the credentials: {reason}; check the access key and its secret"
        )
    if code in _EXPIRED_CREDENTIALS:
        return StoreMisconfigured(
            f"{place.server} does not accept the session token: {reason}; renew the credentials"
        )
    if code == "RequestTimeTooSkewed":
        return StoreMisconfigured(
            f"this machine's clock and that of {place.server} differ too much: set the time ({reason})"
        )
    if code == "NotImplemented" or status == 501:
        return StoreMisconfigured(f"{place.server} lacks an operation that Headwater needs ({operation}): {reason}")
    if _lacks_permission(code, message):
        permission = _PERMISSIONS.get(operation, operation)
        return StoreMisconfigured(
            f"access denied to {place}: {reason}; allow {permission} to these credentials (docs/storage.md has the "
            "policy)"
        )
    if status >= 500 or status == 429 or code in _BUSY:
        return StoreUnavailable(f"{place} is failing ({operation}): {reason}")
    return StoreMisconfigured(f"{place} refuses {operation} of {key or 'the bucket'}: {reason}")


def _lacks_permission(code: str, message: str) -> bool:
    """Servers use the same code for other reasons, for example a cap of the account; then the message is longer."""
    return code in _DENIED and (message.rstrip(".") in _DENIALS or "not authorized to perform" in message)
