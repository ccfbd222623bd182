"""Applies a changed configuration to the running server, without disconnecting anybody."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import structlog

from control.config import Config
from control.options import slate_image, transcode_options
from media.errors import HeadwaterError
from origin.api.errors import BadConfiguration
from origin.api.models import Reloaded
from transcoder.image import Image
from transcoder.options import Encoder, check_encoder

log = structlog.get_logger("control")

# Sections that a running server can change; they apply to new publishers and broadcasts, [hooks] to new messages,
# [retention] to the next sweep, [qoe] at once.
RUNNING_SECTIONS = frozenset({"hooks", "on_publish", "packager", "qoe", "retention", "streams", "transcoder"})
# Settings of [rtmp] that it can change; they apply to new publishers and broadcasts.
RUNNING_RTMP = frozenset(
    {
        "drain_grace",
        "idle_timeout",
        "max_bitrate",
        "on_conflict",
        "reconnect_window",
        "slate",
        "slate_after",
        "slate_image",
        "switch_after",
        "trusted_proxies",
    }
)


class Settings:
    """The configuration in force, and the slate's image that it names. ``load`` reads the configuration again and
    raises HeadwaterError; ``on_changed`` is called when values have changed."""

    def __init__(self, config: Config, image: Image | None, load: Callable[[], Config] | None = None) -> None:
        self.config = config
        self.image = image
        self.on_changed: Callable[[], None] = lambda: None
        self._load = load or (lambda: config)
        self._reloading = asyncio.Lock()

    async def reload(self) -> Reloaded:
        """Apply what can change while the server runs. If the new configuration has a fault, nothing changes.
        Raises BadConfiguration."""
        async with self._reloading:
            try:
                new, image = await asyncio.to_thread(self._read)
            except HeadwaterError as error:
                log.error("the new configuration has a fault, and nothing changed", reason=str(error))
                raise BadConfiguration(str(error)) from error
            changed = list(changes(self.config, new))
            applied = [name for name in changed if is_running(name)]
            restart = [name for name in changed if not is_running(name)]
            self.config, self.image = running(self.config, new), image
            self.on_changed()
        log.info("the configuration was reloaded", applied=applied, needs_restart=restart)
        return Reloaded(applied=tuple(applied), restart=tuple(restart))

    async def reload_on_signal(self) -> None:
        """:meth:`reload` for a signal: the log has the outcome."""
        try:
            await self.reload()
        except BadConfiguration:
            return
        except Exception:
            log.exception("the configuration was not reloaded")

    def _read(self) -> tuple[Config, Image | None]:
        """Read and check the configuration. Blocks. Raises HeadwaterError."""
        config = self._load()
        options = transcode_options(config)
        if options.encoder is not Encoder.LIBX264:
            check_encoder(options)
        return config, slate_image(config)


def changes(before: Config, after: Config) -> Iterator[str]:
    """The dotted names of the settings that differ, in order."""
    yield from _differing("", before.model_dump(), after.model_dump())


def _differing(prefix: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differing(f"{prefix}{key}.", one, other)
        else:
            yield f"{prefix}{key}"


def is_running(name: str) -> bool:
    """Whether the setting ``name`` can change while the server runs."""
    section, _, key = name.partition(".")
    return section in RUNNING_SECTIONS or (section == "rtmp" and key in RUNNING_RTMP)


def running(before: Config, after: Config) -> Config:
    """``after`` as far as it can change while the server runs, and ``before`` elsewhere."""
    rtmp = before.rtmp.model_copy(update={key: getattr(after.rtmp, key) for key in RUNNING_RTMP})
    return before.model_copy(update={"rtmp": rtmp} | {name: getattr(after, name) for name in RUNNING_SECTIONS})
