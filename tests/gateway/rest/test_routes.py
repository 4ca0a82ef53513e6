"""Every method is found by its own template, and what is not there is told from what is there for another verb."""

import itertools

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.gateway.contracts import services
from revops_mesh.gateway.rest.bindings import bindings
from revops_mesh.gateway.rest.refusals import Refused
from revops_mesh.gateway.rest.routes import Routes
from tests.contract.methods import METHODS, Method, each, public
from tests.gateway.rest.calling import descriptor

BINDINGS = [binding for method in METHODS for binding in bindings(descriptor(method.full_name))]
ROUTES = Routes(BINDINGS)
SEGMENTS = sorted({segment for binding in BINDINGS for segment in binding.segments if segment != "*"})
ACTIONS = sorted({binding.action for binding in BINDINGS} - {""})
VERBS = ("GET", "POST", "PATCH", "DELETE")


def filled(segments: tuple[str, ...], action: str, *values: str) -> str:
    """The path of a template with its variables in order."""
    path = "/".join(_expected(segments, [*values]))
    return f"/{path}:{action}" if action else f"/{path}"


def routes(*templates: str) -> Routes:
    """Routes of GET methods M0, M1, … with these templates."""
    file = descriptor_pb2.FileDescriptorProto(name="lab.proto", package="lab", syntax="proto3")
    file.message_type.add(name="Request").field.add(name="name", number=1, type=9, label=1)
    service = file.service.add(name="Service")
    for number, template in enumerate(templates):
        method = service.method.add(name=f"M{number}", input_type=".lab.Request", output_type=".lab.Request")
        method.options.Extensions[annotations_pb2.http].get = template
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return Routes(b for method in pool.FindServiceByName("lab.Service").methods for b in bindings(method))


@each(public)
def test_a_method_is_found_by_its_own_template(method: Method) -> None:
    for binding in bindings(descriptor(method.full_name)):
        route, segments = ROUTES.find(binding.verb, filled(binding.segments, binding.action, "a-1", "b.2", "c%203"))
        assert route.full_name == method.full_name
        assert list(segments) == _expected(binding.segments, ["a-1", "b.2", "c%203"])


def _expected(segments: tuple[str, ...], values: list[str]) -> list[str]:
    return [values.pop(0) if segment == "*" else segment for segment in segments]


@pytest.mark.parametrize("value", ["x", *SEGMENTS])
def test_a_sweep_over_paths_verbs_and_actions_finds_what_a_template_says_and_nothing_else(value: str) -> None:
    """Every template filled with this value, asked for with every verb and every action, its own or not."""
    known = {(b.verb, b.segments, b.action) for b in BINDINGS}
    assert len(known) == len(BINDINGS) == len(ROUTES)
    for segments, verb, action in itertools.product({b.segments for b in BINDINGS}, VERBS, ["", *ACTIONS]):
        path = filled(segments, action, value, value, value)
        try:
            route, _ = ROUTES.find(verb, path)
        except Refused:
            assert (verb, segments, action) not in known
            continue
        shape = route.binding.segments
        assert (route.binding.verb, route.binding.action) == (verb, action)
        assert shape == segments or all(own in ("*", value, other) for own, other in zip(shape, segments, strict=True))


@given(st.text("/:%*{}v1quotes ", max_size=20))
def test_any_path_is_found_or_refused(path: str) -> None:
    for verb in ("GET", "HEAD", "BREW"):
        try:
            ROUTES.find(verb, f"/{path}")
        except Refused as refused:
            assert refused.http in (404, 405)
        except ValueError as unreadable:
            assert "UTF-8" in str(unreadable)


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/v1", "/v1/", "/v1//quotes", "/v1/quotes/", "/v1/quotes//", "/v1/quotes/a/b", "/V1/quotes", "/v1/quotes/a:",
     "/v2/quotes", "/v1/quotes/:submit", "/v1/quotes/a:nothing", "/v1/quotes:submit", "/v1/*", "/v1/quotes/a%3Asubmit:accept:x"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(path: str) -> None:
    with pytest.raises(Refused) as refused:
        ROUTES.find("POST", path)
    assert (refused.value.http, refused.value.reason) == (404, "HTTP_PATH_UNKNOWN")


def test_another_verb_is_told_which_ones_there_are() -> None:
    with pytest.raises(Refused) as refused:
        ROUTES.find("PUT", "/v1/quotes/a")
    assert (refused.value.http, refused.value.reason) == (405, "HTTP_VERB_UNKNOWN")
    assert refused.value.headers == ((b"allow", b"DELETE, GET, HEAD, OPTIONS, PATCH"),)
    assert ROUTES.verbs("/v1/quotes/a:submit") == ["OPTIONS", "POST"]
    assert ROUTES.verbs("/v1/auditEntries:stream") == ["GET", "OPTIONS"]


def test_encoded_characters_are_those_they_stand_for() -> None:
    assert ROUTES.find("GET", "/v1/%71uotes/a")[0].full_name.endswith("GetQuote")
    with pytest.raises(Refused):
        ROUTES.find("POST", "/v1/quotes/a%3Asubmit")


def test_literals_win_over_variables_and_a_dead_end_is_left_again() -> None:
    found = routes("/v1/{name=things/*}", "/v1/things/own", "/v1/things/own/{name}", "/v1/*/*/last", "/v1/files/{name=**}")
    assert found.find("GET", "/v1/things/x")[0].full_name == "lab.Service.M0"
    assert found.find("GET", "/v1/things/own")[0].full_name == "lab.Service.M1"
    assert found.find("GET", "/v1/things/own/x")[0].full_name == "lab.Service.M2"
    assert found.find("GET", "/v1/things/other/last")[0].full_name == "lab.Service.M3"
    assert found.find("GET", "/v1/files/a/b/c")[0].full_name == "lab.Service.M4"


def test_two_methods_with_one_address_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"lab\.Service\.M1 and lab\.Service\.M0 are both GET"):
        routes("/v1/{name=things/*}", "/v1/things/*")


def test_a_gateway_knows_every_service_of_the_contracts() -> None:
    known = {method.full_name for service in services() for method in service.methods}
    assert {method.full_name for method in METHODS} <= known
