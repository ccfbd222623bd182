"""What the API's document promises about the values of answers.

The bounds are not checked at run time: one wrong measurement must not hide a stream from its operator.
"""

from typing import Any

from media.names import BROADCAST_ID, STREAM_NAME

Schema = dict[str, Any]

STREAM: Schema = {"pattern": f"^{STREAM_NAME.pattern}$", "minLength": 1, "maxLength": 63}
BROADCAST: Schema = {"pattern": f"^{BROADCAST_ID.pattern}$"}
NOT_NEGATIVE: Schema = {"minimum": 0}
LONG: Schema = {"minimum": 0, "format": "int64"}
URL: Schema = {"format": "uri"}
PATH: Schema = {"format": "uri-reference", "pattern": "^/"}
CODE: Schema = {"pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$"}


def allow_new_fields(schema: Schema) -> None:
    """For the schema of an answer: later versions may add fields, and clients must accept them."""
    schema.pop("additionalProperties", None)
