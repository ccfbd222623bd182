import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.configs import TrackConfig
from media.descriptions import MalformedDescription, describe_config, parse_config
from tests.unit.packager.recording import audio_config, unfillable_config, video_config


@pytest.mark.parametrize("config", [video_config(), audio_config(), unfillable_config()])
def test_a_description_round_trips_through_json(config: TrackConfig) -> None:
    assert parse_config(json.loads(json.dumps(describe_config(config)))) == config


@pytest.mark.parametrize(
    "change",
    [
        {"codec": "vp8"},
        {"codec": 7},
        {"record": "no base64"},
        {"width": -1},
        {"width": True},
        {"width": 1 << 41},
        {"sample_aspect_ratio": "1/0"},
        {"codec_string": "a" * 256},
        {"colour": 3},
    ],
)
def test_wrong_fields_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(MalformedDescription):
        parse_config({**describe_config(video_config()), **change})


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(MalformedDescription):
        parse_config(value)
