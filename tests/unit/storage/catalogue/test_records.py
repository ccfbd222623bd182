import pytest
from pydantic import ValidationError

from media.roles import Role
from storage.catalogue.records import BroadcastRecord, StreamRecord, StreamSettings


@pytest.mark.parametrize("ladder", ["auto", "source", None])
def test_a_ladder_is_a_name_or_the_servers_default(ladder: str | None) -> None:
    assert StreamSettings.model_validate({"ladder": ladder}).ladder == ladder


@pytest.mark.parametrize(("bitrate", "bps"), [(2_500_000, 2_500_000), ("2500k", 2_500_000), ("2.5M", 2_500_000)])
def test_a_ladder_may_be_a_list_of_rungs(bitrate: str | int, bps: int) -> None:
    settings = StreamSettings.model_validate(
        {"ladder": [{"height": 720, "bitrate": bitrate}, {"height": 360, "bitrate": 800_000}]}
    )
    assert isinstance(settings.ladder, tuple)
    assert [(rung.height, rung.bitrate) for rung in settings.ladder] == [(720, bps), (360, 800_000)]
    assert StreamSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ladder": "best"}, "'auto' or 'source'"),
        ({"ladder": []}, "has no rung"),
        ({"ladder": [{"height": 720, "bitrate": 2_000_000 - height} for height in range(9)]}, "the most is 8"),
        ({"ladder": [{"height": 721, "bitrate": "1M"}]}, "multiple of 2"),
        ({"ladder": [{"height": 720, "bitrate": "fast"}]}, "is not a bitrate"),
        ({"ladder": [{"height": 720, "bitrate": "900000M"}]}, "from 50k to 100M"),
        ({"ladder": [{"height": 360, "bitrate": "1M"}, {"height": 720, "bitrate": "2M"}]}, "from high to low"),
        ({"ladder": [{"height": 720, "bitrate": "1M"}, {"height": 360, "bitrate": "1M"}]}, "lower bitrate"),
        ({"ladder": [{"height": 720, "bitrate": "1M", "fps": 30}]}, "Extra inputs"),
        ({"colour": "red"}, "Extra inputs"),
        ({"title": "x" * 201}, "at most 200"),
        ({"reconnect_window_s": 3601}, "less than or equal to 3600"),
    ],
)
def test_invalid_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StreamSettings.model_validate(settings)


def test_unknown_fields_of_a_newer_version_are_ignored() -> None:
    text = '{"stream": "a", "key_hashes": ["00"], "created_at": 1.0, "colour": "red"}'
    record = StreamRecord.model_validate_json(text)
    assert (record.stream, record.key_hashes, record.banned_until) == ("a", ("00",), None)
    assert record.settings == StreamSettings()


def test_a_record_from_before_backup_keys_has_none() -> None:
    text = (
        '{"stream": "a", "settings": {"ladder": null, "title": "", "private": true}, "key_hashes": ["00"], '
        '"created_at": 1.0, "key_created_at": 1.0, "last_live_at": null, "banned_until": null}'
    )
    record = StreamRecord.model_validate_json(text)
    assert (record.backup_key_hash, record.settings.reconnect_window_s) == (None, None)
    assert [(key.name, key.key_hash, key.created_at, key.role) for key in record.keys] == [
        ("primary", "00", 1.0, Role.PRIMARY)
    ]


def test_a_live_broadcast_has_no_end() -> None:
    record = BroadcastRecord(stream="a", broadcast="20261121t104105z-ab12cd", started_at=1.0)
    assert record.ended_at is None
    assert BroadcastRecord.model_validate_json(record.model_dump_json()) == record
