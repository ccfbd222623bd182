"""The deletion of many objects in one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_MISSING = frozenset({"NoSuchKey", "NotFound"})
# The answers of servers without DeleteObjects, or with an older form of its checksum.
_UNSUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed", "MissingContentMD5", "405", "501"})
_FAILING = frozenset({"InternalError", "ServiceUnavailable"})


def delete_batch(client: S3Client, bucket: str, keys: Sequence[str]) -> None:
    """Delete ``keys``; those that do not exist count as deleted. A server that lacks DeleteObjects gets a request
    for each. Raises boto3's errors."""
    try:
        answer = client.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _UNSUPPORTED:
            raise
        for key in keys:
            client.delete_object(Bucket=bucket, Key=key)
        return
    for failed in answer.get("Errors", ()):
        code = failed.get("Code", "")
        if code not in _MISSING:
            raise ClientError(
                {
                    "Error": {"Code": code, "Message": failed.get("Message", "")},
                    "ResponseMetadata": {
                        "HTTPStatusCode": 503 if code in _FAILING else 200,
                        "HTTPHeaders": {},
                        "RequestId": "",
                        "HostId": "",
                        "RetryAttempts": 0,
                    },
                },
                "DeleteObjects",
            )
