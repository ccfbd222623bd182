"""What sample entries share (ISO/IEC 14496-12, 8.5.2, 12.1.3, 12.2.3), and the table of them by codec."""
