"""CMAF (ISO/IEC 23000-19): cuts, tracks, fragments and init segments."""
