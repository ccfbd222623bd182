"""The options of the store's client, for every command that opens the store."""

from control.config import Config
from storage.s3_client import S3Options


def s3_options(config: Config) -> S3Options:
    store = config.store
    return S3Options(endpoint=store.s3_endpoint, region=store.s3_region, path_style=store.s3_path_style)
