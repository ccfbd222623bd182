"""The common parts of sample entries (ISO/IEC 14496-12, 8.5.2, 12.1.3, 12.2.3), and their table by codec."""
