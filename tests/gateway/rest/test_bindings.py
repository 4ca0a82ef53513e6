"""What HTTP reaches the methods, as derived from the contracts and from templates that no contract has yet."""

from collections import Counter

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import quotes_pb2

from revops_mesh.gateway.rest.bindings import BadTemplate, Binding, bindings
from tests.contract.methods import METHODS, each

QUOTES = quotes_pb2.DESCRIPTOR.services_by_name["QuoteService"].methods_by_name


def only(method: str) -> Binding:
    (found,) = bindings(QUOTES[method])
    return found


def bound(**options: str) -> tuple[Binding, ...]:
    """The bindings of a method of its own: `post="/v1/x"`, `body="*"`."""
    file = descriptor_pb2.FileDescriptorProto(name="lab.proto", package="lab", syntax="proto3")
    message = file.message_type.add(name="Request")
    message.field.add(name="name", number=1, type=9, label=1)
    message.field.add(name="tags", number=2, type=9, label=3)
    message.field.add(name="inner", number=3, type=11, label=1, type_name=".lab.Request")
    method = file.service.add(name="Service").method.add(name="Do", input_type=".lab.Request", output_type=".lab.Request")
    rule = method.options.Extensions[annotations_pb2.http]
    for name, value in options.items():
        setattr(rule, name, value)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found: MethodDescriptor = pool.FindServiceByName("lab.Service").methods_by_name["Do"]
    return bindings(found)


@each()
def test_every_public_method_has_a_binding_and_no_internal_one_has(method: object) -> None:
    found = bindings(_descriptor(method))
    assert bool(found) != method.internal  # type: ignore[attr-defined]


def test_no_two_methods_share_verb_and_shape() -> None:
    shapes = Counter((b.verb, b.segments, b.action) for method in METHODS for b in bindings(_descriptor(method)))
    assert [shape for shape, count in shapes.items() if count > 1] == []


def test_a_variable_inside_a_resource_leaves_the_rest_of_the_request_to_the_query() -> None:
    update = only("UpdateQuote")
    assert (update.verb, update.segments, update.action, update.body) == ("PATCH", ("v1", "quotes", "*"), "", "quote")
    (variable,) = update.variables
    assert (variable.path, update.pattern(variable)) == ("quote.name", "quotes/*")
    assert [parameter.name for parameter in update.parameters] == ["updateMask", "requestId", "validateOnly"]


def test_an_action_is_told_from_the_path() -> None:
    submit = only("SubmitQuote")
    assert (submit.segments, submit.action, submit.body, submit.parameters) == (("v1", "quotes", "*"), "submit", "*", ())


def test_nested_fields_are_parameters_with_dots_and_repetition_of_a_type_ends_them() -> None:
    names = [parameter.path for parameter in bound(get="/v1/{name}")[0].parameters]
    assert names == ["tags"]
    names = [parameter.path for parameter in bound(get="/v1/{inner.name}")[0].parameters]
    assert names == ["name", "tags"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"get": "v1/x"}, "slash"),
        ({"get": "/v1/{tags}"}, "no singular field"),
        ({"get": "/v1/{gone}"}, "no singular field"),
        ({"get": "/v1/{inner}"}, "is a message"),
        ({"get": "/v1//x"}, "cannot be read"),
        ({"get": "/v1/**/x"}, "before the last"),
        ({"get": "/v1/{name"}, "cannot be read"),
        ({"get": "/v1/x{name}"}, "cannot be read"),
        ({"post": "/v1/x", "body": "gone"}, "no field gone"),
        ({"post": "/v1/x", "response_body": "name"}, "response_body"),
        ({"body": "*"}, "without verb"),
    ],
)
def test_a_binding_that_cannot_be_served_is_refused_with_the_reason(options: dict[str, str], problem: str) -> None:
    with pytest.raises(BadTemplate, match=problem):
        bound(**options)


@given(st.text("/{}*=:.ab", max_size=14))
def test_any_template_is_read_or_refused(template: str) -> None:
    try:
        (found,) = bound(get=template)
    except BadTemplate:
        return
    assert found.template == template
    assert all(found.segments)


def _descriptor(method: object) -> MethodDescriptor:
    pool = descriptor_pool.Default()
    service, _, name = method.full_name.rpartition(".")  # type: ignore[attr-defined]
    found: MethodDescriptor = pool.FindServiceByName(service).methods_by_name[name]
    return found
