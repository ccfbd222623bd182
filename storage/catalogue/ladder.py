"""Pydantic types that parse and serialize a :mod:`media.ladder` in JSON, TOML and the API."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    Tag,
    WithJsonSchema,
    create_model,
)
from pydantic_core import core_schema

from media.ladder import MAX_BITRATE, MAX_HEIGHT, MAX_RUNGS, MIN_BITRATE, MIN_HEIGHT, Rung, require_descending
from media.quantities import Bitrate
from storage.catalogue.numbers import WHOLE

# The tags of the two forms. Pydantic adds them to the locations of its errors.
TAGS = frozenset({"a-word", "rungs"})


Height = Annotated[int, Field(strict=True, ge=MIN_HEIGHT, le=MAX_HEIGHT, multiple_of=2, examples=[720]), WHOLE]
# Other units are accepted too; clients need one form.
BITRATE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": MIN_BITRATE, "maximum": MAX_BITRATE},
        {"type": "string", "pattern": "^(?:[5-9][0-9]|[1-9][0-9]{2,4}|100000)k$"},
    ],
    "description": "bits per second, also as kilobits per second, such as 2500k",
    "examples": [2_500_000, "2500k"],
}
RungBitrate = Annotated[
    int,
    Field(ge=MIN_BITRATE, le=MAX_BITRATE),
    Bitrate(at_least=MIN_BITRATE, at_most=MAX_BITRATE),
    WithJsonSchema(BITRATE_SCHEMA),
]
# Created by name, because its name in the API's schema is Rung.
RungFields = create_model(
    "Rung",
    __config__=ConfigDict(extra="forbid"),
    __doc__="One encoded rendition; its width follows from the source's shape.",
    height=Height,
    bitrate=RungBitrate,
)


def _rung_schema(source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    """Parse and serialize a :class:`Rung` through ``RungFields``."""
    fields = handler(RungFields)
    read = core_schema.no_info_after_validator_function(lambda fields: Rung(fields.height, fields.bitrate), fields)
    return core_schema.no_info_before_validator_function(
        lambda value: asdict(value) if isinstance(value, Rung) else value,
        read,
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda rung: RungFields.model_construct(height=rung.height, bitrate=rung.bitrate),
            return_schema=fields,
        ),
    )


def _counted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError('the ladder has no rung; for the source alone write "source"')
        if len(value) > MAX_RUNGS:
            raise ValueError(f"the ladder has {len(value)} rungs; the most is {MAX_RUNGS}")
    return value


def _descending(rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
    require_descending(rungs)
    return rungs


def _form(value: Any) -> str:
    return "a-word" if isinstance(value, str) else "rungs"


RungField = Annotated[Rung, GetPydanticSchema(_rung_schema)]
RungsField = Annotated[
    tuple[RungField, ...],
    Field(json_schema_extra={"minItems": 1, "maxItems": MAX_RUNGS}),
    BeforeValidator(_counted),
    AfterValidator(_descending),
]
LadderField = Annotated[
    Annotated[Literal["auto", "source"], Tag("a-word")] | Annotated[RungsField, Tag("rungs")], Discriminator(_form)
]
