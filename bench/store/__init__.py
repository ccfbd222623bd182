"""Store: the CPU and time to store a segment and a playlist, and how fast a backlog drains after an outage.

    python -m bench.store --objects 200 --rounds 3 --outage 20

The S3 store as Headwater configures it, MinIO's own client and plain PUTs to presigned URLs take turns at one MinIO
server, then the directory store on a disk, with and without fsync. The work of the MinIO server is not counted.
"""
