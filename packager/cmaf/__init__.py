"""CMAF (ISO/IEC 23000-19): cutting, tracks, fragments and init segments."""
