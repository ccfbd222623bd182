"""What storing costs: CPU and time of a segment and of a playlist, and how a backlog drains after an outage.

    python -m bench.store --objects 200 --rounds 3 --outage 20

The S3 store as Headwater configures it, MinIO's own client and plain PUTs to presigned URLs take turns at one MinIO
server; the directory store with and without fsync does the same on a disk. The server's own work is not counted.
"""
