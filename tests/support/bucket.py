"""A bucket on loopback, by a server that speaks Amazon's S3 protocol."""

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEY_ID = "desk"
SECRET = "bucket-key-that-nobody-sees"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Bucket:
    """A bucket, and where its server listens."""

    name: str
    endpoint: str

    def names(self) -> list[str]:
        """Return the names of all objects."""
        storage = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            region_name=REGION,
        )
        pages = storage.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [held["Key"] for page in pages for held in page.get("Contents", [])]


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket; the server forgets it afterwards."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made = Bucket("lake", f"http://{host}:{port}")
    boto3.client(
        "s3",
        endpoint_url=made.endpoint,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    ).create_bucket(Bucket=made.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield made
    server.stop()
