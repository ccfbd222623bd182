"""Many paced RTMP publishers in one process."""
