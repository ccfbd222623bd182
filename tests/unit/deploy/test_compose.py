"""What docker/compose.yaml promises: limits, no privileges, and no more access than a service needs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[3] / "docker"
STORAGE = DOCKER.parent / "docs" / "storage.md"
LOOPBACK = "127.0.0.1:"


class Loader(yaml.SafeLoader):
    """Knows the tag of Compose for a list that replaces another."""

    def override(self, node: yaml.SequenceNode) -> list[Any]:
        return list(self.construct_sequence(node))


Loader.add_constructor("!override", Loader.override)


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((DOCKER / name).read_text(), Loader)["services"]
    return loaded


SERVICES = load("compose.yaml")


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits_and_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert re.fullmatch(r"(\$\{HEADWATER_MEMORY:-)?\d+[mg]\}?", service["mem_limit"])
    assert 0 < service["pids_limit"] <= 4200
    if name != "store":
        assert service["ulimits"]["core"] == 0
        assert service["ulimits"]["nofile"] >= 65536


@pytest.mark.parametrize("name", ["headwater", "store", "cache"])
def test_own_programs_cannot_change_their_image(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


def test_only_minio_and_its_set_up_know_the_root_password() -> None:
    knowing = {name for name, service in SERVICES.items() if "MINIO_ROOT" in json.dumps(service)}
    assert knowing == {"minio", "store"}
    headwater, store = SERVICES["headwater"]["environment"], SERVICES["store"]["environment"]
    assert headwater["AWS_ACCESS_KEY_ID"] == store["STORE_USER"] != store["MINIO_ROOT_USER"]
    assert headwater["AWS_SECRET_ACCESS_KEY"] == store["STORE_PASSWORD"]
    assert headwater["HEADWATER_STORE__LOCATION"] == f"s3://{store['STORE_BUCKET']}"


def test_headwater_starts_after_its_user_exists() -> None:
    assert SERVICES["headwater"]["depends_on"]["store"]["condition"] == "service_completed_successfully"
    assert SERVICES["store"]["restart"] == "no"


def test_the_policy_is_that_of_the_documentation() -> None:
    own = next(re.finditer(r"```json\n(.*?)```", STORAGE.read_text(), re.DOTALL))[1]
    bucket = SERVICES["store"]["environment"]["STORE_BUCKET"]
    documented = json.loads(own.replace("BUCKET/PREFIX", bucket).replace("BUCKET", bucket))
    assert json.loads((DOCKER / "store_policy.json").read_text()) == documented


def test_viewers_reach_the_cache_alone() -> None:
    public = {
        (name, port)
        for name, service in SERVICES.items()
        for port in service.get("ports", ())
        if not port.startswith(LOOPBACK)
    }
    assert public == {("headwater", "1935:1935"), ("cache", "8080:8080")}


def test_with_tls_viewers_have_https_alone() -> None:
    public = [port for port in load("compose.tls.yaml")["cache"]["ports"] if not port.startswith(LOOPBACK)]
    assert public == ["443:8443"]


@pytest.mark.parametrize("file", ["compose.yaml", "compose.tls.yaml"])
def test_mounted_files_exist(file: str) -> None:
    mounts = [mount for service in load(file).values() for mount in service.get("volumes", ()) if mount[0] == "."]
    assert mounts
    for mount in mounts:
        source, _, options = mount.split(":")
        assert options == "ro"
        # The operator's certificate.
        assert source == "./tls" or (DOCKER / source).is_file()
