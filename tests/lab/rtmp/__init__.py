"""Many paced RTMP publishers in one cheap process."""
