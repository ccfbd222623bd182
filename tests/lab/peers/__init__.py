"""Third-party servers that Headwater is compared with."""
