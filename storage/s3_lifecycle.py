"""The lifecycle rules of a bucket that Headwater sets. Rules of others stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from storage.interface import StoreMisconfigured

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import LifecycleRuleOutputTypeDef, LifecycleRuleTypeDef

MARK = "headwater-"
ABANDONED_DAYS = 1
# Days that objects live longer than the retention: a rule counts from an object's upload, a retention from the end
# of the broadcast, and the sweep should come first.
MARGIN_DAYS = 7
DAY_S = 86_400
NO_RULES = "this S3 server has no lifecycle rules: [retention] of Headwater deletes recordings without them"
_MISSING = frozenset({"NoSuchLifecycleConfiguration", "404"})
_REFUSED = frozenset({"InvalidArgument", "InvalidRequest", "MalformedXML"})
_UNSUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})


def wanted_rules(root: str, max_age_s: float | None) -> list[LifecycleRuleTypeDef]:
    """``root`` is the store's prefix with a ``/`` at its end, or empty. With ``max_age_s``, media and event logs
    expire too, a week after a retention of that age would have deleted them."""
    place = root.strip("/").replace("/", "-")
    name = f"{MARK}{place}-" if place else MARK
    rules: list[LifecycleRuleTypeDef] = [
        {
            "ID": f"{name}uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": root},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABANDONED_DAYS},
        }
    ]
    if max_age_s is not None:
        days = ceil(max_age_s / DAY_S) + MARGIN_DAYS
        rules += [
            {
                "ID": f"{name}{kind}",
                "Status": "Enabled",
                "Filter": {"Prefix": f"{root}{prefix}"},
                "Expiration": {"Days": days},
            }
            for kind, prefix in (("media", "live/"), ("events", "catalogue/events/"))
        ]
    return rules


def describe(rule: LifecycleRuleTypeDef) -> str:
    """A sentence about a rule of :func:`wanted_rules`."""
    prefix = rule["Filter"]["Prefix"] or "everything"
    if "Expiration" in rule:
        return f"{prefix}: deleted {rule['Expiration']['Days']} days after the upload"
    return f"{prefix}: incomplete multipart uploads are removed after {ABANDONED_DAYS} day"


def read_rules(client: S3Client, bucket: str) -> list[LifecycleRuleOutputTypeDef]:
    """All rules of the bucket. Raises boto3's errors, and StoreMisconfigured if the server has no such rules."""
    try:
        return client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
    except ClientError as error:
        if _code(error) in _MISSING:
            return []
        if _code(error) in _UNSUPPORTED:
            raise StoreMisconfigured(NO_RULES) from error
        raise


def apply_rules(client: S3Client, bucket: str, root: str, rules: Sequence[LifecycleRuleTypeDef]) -> None:
    """Replace the rules that Headwater has set for the prefix ``root``. A server may refuse the rule for incomplete
    uploads, as MinIO does; it gets the others then. Raises as :func:`read_rules`, and StoreMisconfigured if the
    server does not keep them."""
    others = [rule for rule in read_rules(client, bucket) if not _is_ours(rule, root)]
    try:
        try:
            _put(client, bucket, [*others, *rules])
        except ClientError as error:
            rules = [rule for rule in rules if "AbortIncompleteMultipartUpload" not in rule]
            if _code(error) not in _REFUSED:
                raise
            _put(client, bucket, [*others, *rules])
    except ClientError as error:
        if _code(error) in _UNSUPPORTED:
            raise StoreMisconfigured(NO_RULES) from error
        raise
    kept = {rule.get("ID") for rule in read_rules(client, bucket)}
    lost = [rule["ID"] for rule in rules if rule["ID"] not in kept]
    if lost:
        raise StoreMisconfigured(f"the server accepts lifecycle rules but does not keep them: {', '.join(lost)}")


def _put(client: S3Client, bucket: str, rules: Sequence[LifecycleRuleTypeDef | LifecycleRuleOutputTypeDef]) -> None:
    """A configuration has at least one rule."""
    if rules:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    else:
        client.delete_bucket_lifecycle(Bucket=bucket)


def _is_ours(rule: LifecycleRuleOutputTypeDef, root: str) -> bool:
    ids = {wanted["ID"] for wanted in wanted_rules(root, 0.0)}
    return rule.get("ID") in ids


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
