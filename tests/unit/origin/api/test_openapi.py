"""The OpenAPI document: what it says about each operation, its problems and its values."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from origin.api.openapi import TAGS
from tests.unit.origin.api.conftest import Api

OPERATION_IDS = {
    "listStreams",
    "createStream",
    "getStream",
    "changeStream",
    "deleteStream",
    "rotateKey",
    "killStream",
    "getHistory",
    "getThumbnail",
    "listBroadcasts",
    "getEvents",
    "getBroadcastEvents",
    "createViewerToken",
    "verifyPathToken",
    "getWatchStatus",
    "getVersion",
    "getAccess",
    "listApiTokens",
    "createApiToken",
    "revokeApiToken",
    "getAuditLog",
}


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    return api.app.openapi()


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from item.values()


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document, cls=OpenAPIV31SpecValidator)


def test_operations_have_short_ids_and_described_tags(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert set(ids) >= OPERATION_IDS
    assert all(identifier.isalpha() for identifier in ids)
    described = {tag["name"] for tag in TAGS}
    assert document["tags"] == list(TAGS)
    for operation in operations(document):
        assert operation["summary"]
        assert operation["tags"] and set(operation["tags"]) <= described


def test_problems_have_their_codes_and_examples(document: dict[str, Any]) -> None:
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    for operation in operations(document):
        problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"500", "503"} <= set(problems)
        assert ({"401", "429"} <= set(problems)) == bool(operation.get("security"))
        assert ("403" in problems and "security" in operation) == (operation.get("x-scope") in ("operate", "admin"))
        assert ("413" in problems) == ("requestBody" in operation)
        for status, answer in problems.items():
            content = answer["content"]["application/problem+json"]
            reference, narrowed = content["schema"]["allOf"]
            assert reference == {"$ref": "#/components/schemas/Problem"}
            examples = {code: example["value"] for code, example in content["examples"].items()}
            assert all((each["code"], each["status"]) == (code, int(status)) for code, each in examples.items())
            if int(status) < 500:
                assert narrowed["properties"]["code"]["enum"] == list(examples)


def test_one_status_can_have_several_codes(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/streams"]["post"]["responses"]["422"]["content"]
    assert set(content["application/problem+json"]["examples"]) == {"bad-stream-name", "invalid-request"}


def test_the_server_is_the_one_that_answers(document: dict[str, Any]) -> None:
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_a_missing_scope_names_the_scope_of_the_route(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert ("x-scope" in operation) == ("security" in operation)
        if operation.get("x-scope") in ("operate", "admin"):
            content = operation["responses"]["403"]["content"]["application/problem+json"]
            assert f"the scope {operation['x-scope']}:" in content["examples"]["scope-missing"]["value"]["detail"]


def test_names_are_described_by_patterns(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                schema = parameter["schema"]
                assert parameter["in"] == "query" or schema["pattern"].startswith("^"), (path, parameter["name"])
                assert parameter["description"] and schema["examples"], (path, parameter["name"])
    schemas = document["components"]["schemas"]
    assert "pattern" in schemas["NewStream"]["properties"]["stream"]
    assert "pattern" in schemas["NewApiToken"]["properties"]["name"]


def test_queries_are_bounded(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    bounds = {"maximum", "maxLength"}
                    forms = parameter["schema"].get("anyOf", [parameter["schema"]])
                    unbounded = [form for form in forms if form["type"] not in ("null", "boolean")]
                    assert all(bounds & set(form) for form in unbounded), (path, parameter)


def test_every_field_has_an_example_and_every_number_a_bound(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            kinds = {described.get("type"), *(each.get("type") for each in described.get("anyOf", ()))}
            refers = "$ref" in str(described)
            assert "examples" in described or refers or "array" in kinds, (name, field)
            if kinds & {"number", "integer"}:
                assert "minimum" in str(described) or name == "Problem", (name, field)


def test_answers_may_get_new_fields_and_requests_may_not(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    requests = {"NewStream", "StreamChange", "Rung", "KillRequest", "TokenRequest", "NewApiToken", "DrainRequest"}
    requests |= {"NewKey", "KeyRotation", "BanRequest"}
    requests |= {"SweepRequest", "RetentionFields"}
    requests |= {"NewHook", "HookChange", "ReplayRequest"}
    for name, schema in schemas.items():
        assert schema.get("additionalProperties") is (False if name in requests else None), name
