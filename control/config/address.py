"""A listening address: ``HOST:PORT``, with IPv6 hosts in brackets."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

HOST = re.compile(r"\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9.-]+")
WILDCARDS = frozenset({"0.0.0.0", "::", ""})


@dataclass(frozen=True, slots=True)
class Address:
    """``host`` is without brackets; ``port`` 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_wildcard(self) -> bool:
        """Whether it listens on every address of the machine."""
        return self.host in WILDCARDS

    @classmethod
    def parse(cls, value: object) -> "Address":
        """Raises ValueError, whose text explains what to write instead."""
        if isinstance(value, Address):
            return value
        if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
            raise ValueError(f'"{value}" is not HOST:PORT; did you mean "0.0.0.0:{value}"?')
        if not isinstance(value, str):
            raise ValueError(f'{value!r} is not HOST:PORT, such as "0.0.0.0:8080"')
        host, separator, port = value.rpartition(":")
        if not separator:
            raise ValueError(f'"{value}" has no port; write HOST:PORT, such as "{value}:8080"')
        if ":" in host and not host.startswith("["):
            raise ValueError(f'"{value}": write an IPv6 address in brackets, as "[::]:8080"')
        if not HOST.fullmatch(host):
            raise ValueError(f'"{value}" has no host; did you mean "0.0.0.0:{port}"?')
        if not port.isascii() or not port.isdigit() or not 0 <= int(port[:6]) <= 65535:
            raise ValueError(f'"{value}": a port is a number from 0 to 65535')
        return cls(host.strip("[]"), int(port))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )
