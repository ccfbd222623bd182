"""Configuration: a TOML file, environment variables for every value, and the command line, which overrides both.

:func:`load_config` merges the three, and reports each fault with its place and a suggestion.
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
