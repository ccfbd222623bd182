import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from storage import ObjectNotFound, PreconditionFailed, StorageError, StoreMisconfigured, StoreUnavailable
from storage.s3_errors import Place, translated

PLACE = Place("bucket", "a/b", "http://minio:9000")


def answer(
    status: int,
    code: str,
    operation: str = "PutObject",
    headers: dict[str, str] | None = None,
    message: str = "the server's words",
    **error: str,
) -> ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}, "RequestId": "1", "HostId": "1"}
    return ClientError(
        {"Error": {"Code": code, "Message": message, **error}, "ResponseMetadata": metadata},  # type: ignore[typeddict-item]
        operation,
    )


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (answer(404, "NoSuchKey", "GetObject"), ObjectNotFound, "there is no object k"),
        (answer(404, "404", "HeadObject"), ObjectNotFound, "there is no object k"),
        (answer(404, "NoSuchKey", "PutObject"), PreconditionFailed, "does not exist any more"),
        (answer(412, "PreconditionFailed"), PreconditionFailed, "another writer"),
        (answer(409, "ConditionalRequestConflict"), PreconditionFailed, "another writer"),
        (answer(404, "NoSuchBucket"), StoreMisconfigured, "no bucket bucket at http://minio:9000: create it"),
        (answer(404, "404"), StoreMisconfigured, "refuses PutObject of k: the server's words (404)"),
        (answer(404, "NoSuchTenant", "ListObjectsV2"), StoreMisconfigured, "the server's words (NoSuchTenant)"),
        (answer(404, "404", "ListObjectsV2"), StoreMisconfigured, "the server's words (404)"),
        (answer(301, "PermanentRedirect"), StoreMisconfigured, "the server's words (PermanentRedirect)"),
        (answer(400, "AuthorizationHeaderMalformed"), StoreMisconfigured, "the server's words"),
        (answer(400, "AuthorizationHeaderMalformed", Region="eu-west-3"), StoreMisconfigured, "region eu-west-3"),
        (
            answer(301, "301", "HeadObject", {"x-amz-bucket-region": "eu-west-3"}),
            StoreMisconfigured,
            "set the region to eu-west-3",
        ),
        (answer(403, "InvalidAccessKeyId"), StoreMisconfigured, "check the access key"),
        (answer(403, "SignatureDoesNotMatch"), StoreMisconfigured, "check the access key"),
        (answer(400, "ExpiredToken"), StoreMisconfigured, "the server's words (ExpiredToken); renew"),
        (answer(400, "InvalidToken"), StoreMisconfigured, "the server's words (InvalidToken); renew"),
        (answer(403, "RequestTimeTooSkewed"), StoreMisconfigured, "clock"),
        (answer(403, "AccessDenied", message="Access Denied."), StoreMisconfigured, "allow s3:PutObject"),
        (
            answer(403, "AccessDenied", message="User: arn:x is not authorized to perform: s3:PutObject on y"),
            StoreMisconfigured,
            "allow s3:PutObject",
        ),
        (answer(403, "403", "HeadObject", message="Forbidden"), StoreMisconfigured, "allow s3:GetObject"),
        (answer(403, "AccessDenied", "ListObjectsV2", message=""), StoreMisconfigured, "allow s3:ListBucket"),
        (
            answer(403, "AccessDenied", message="Cannot upload files, storage cap exceeded"),
            StoreMisconfigured,
            "refuses PutObject of k: Cannot upload files, storage cap exceeded (AccessDenied)",
        ),
        (answer(403, "AllAccessDisabled"), StoreMisconfigured, "the server's words (AllAccessDisabled)"),
        (answer(507, "XMinioStorageFull"), StoreUnavailable, "the server's words (XMinioStorageFull)"),
        (answer(400, "Odd", message="x" * 9000), StoreMisconfigured, "x" * 500 + "… (Odd)"),
        (ResponseParserError("invalid XML"), StoreUnavailable, "is the endpoint right"),
        (answer(501, "NotImplemented"), StoreMisconfigured, "lacks an operation that Headwater needs"),
        (answer(503, "SlowDown"), StoreUnavailable, "the server's words"),
        (answer(500, "InternalError"), StoreUnavailable, "is failing"),
        (answer(400, "RequestTimeout"), StoreUnavailable, "is failing"),
        (answer(429, "Whatever"), StoreUnavailable, "is failing"),
        (answer(400, "QuotaExceeded"), StoreMisconfigured, "the server's words"),
        (boto.NoCredentialsError(), StoreMisconfigured, "AWS_ACCESS_KEY_ID"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), StoreMisconfigured, "AWS_ACCESS_KEY_ID"),
        (boto.CredentialRetrievalError(provider="x", error_msg="no"), StoreUnavailable, "cannot be fetched"),
        (boto.EndpointConnectionError(endpoint_url="http://minio"), StoreUnavailable, "cannot be reached"),
        (boto.ConnectTimeoutError(endpoint_url="http://minio"), StoreUnavailable, "cannot be reached"),
        (boto.ReadTimeoutError(endpoint_url="http://minio"), StoreUnavailable, "failed"),
        (boto.ConnectionClosedError(endpoint_url="http://minio"), StoreUnavailable, "failed"),
        (
            boto.SSLError(endpoint_url="https://minio", error=OSError("self-signed")),
            StoreMisconfigured,
            "AWS_CA_BUNDLE",
        ),
        (boto.ProfileNotFound(profile="x"), StoreMisconfigured, "configuration files"),
        (boto.ParamValidationError(report="x"), StoreMisconfigured, "settings"),
        (ValueError("Invalid endpoint: x"), StoreMisconfigured, "Invalid endpoint"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, Exception) else "",
)
def test_every_error_states_what_to_do(error: Exception, kind: type[StorageError], message: str) -> None:
    ours = translated(error, PLACE, "k")
    assert type(ours) is kind
    assert message in str(ours)
    assert ours.retryable == (kind is StoreUnavailable)


def test_advice_is_given_only_if_it_is_certain() -> None:
    capped = translated(answer(403, "AccessDenied", message="storage cap exceeded"), PLACE, "k")
    assert "allow" not in str(capped) and "s3:PutObject" not in str(capped)


def test_a_location_without_an_endpoint_is_described_as_aws() -> None:
    assert str(Place("bucket", "", None)) == "s3://bucket at AWS"
    assert str(PLACE) == "s3://bucket/a/b at http://minio:9000"
