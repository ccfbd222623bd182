"""Configuration: one TOML file, every value also by environment variable, the command line over both.

:func:`load_config` puts the three together and refuses, with its place and a suggestion, what is not understood.
"""

from control.config.address import Address
from control.config.errors import ConfigError
from control.config.load import load_config
from control.config.model import (
    Config,
    HttpConfig,
    LogConfig,
    PackagerConfig,
    RtmpConfig,
    StoreConfig,
    StreamConfig,
    TranscoderConfig,
)

__all__ = [
    "Address",
    "Config",
    "ConfigError",
    "HttpConfig",
    "LogConfig",
    "PackagerConfig",
    "RtmpConfig",
    "StoreConfig",
    "StreamConfig",
    "TranscoderConfig",
    "load_config",
]
