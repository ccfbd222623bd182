"""Create the bucket of compose.yaml if it does not exist: `make_bucket.py ENDPOINT BUCKET`."""

import sys

import boto3

endpoint, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
try:
    s3.create_bucket(Bucket=bucket)
    print(f"created the bucket {bucket}")
except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
    print(f"the bucket {bucket} already exists")
