"""The tree of errors: exit codes, and messages that say where."""

import inspect

import pytest

from falsereject_gen import errors
from falsereject_gen.errors import (
    FalseRejectError,
    InputError,
    ReplyError,
    Stopped,
    TaxonomyError,
    UsageError,
)


def test_all_errors_are_one_tree_and_stand_in_its_picture():
    found = inspect.getmembers(errors, inspect.isclass)
    classes = [c for _, c in found if c.__module__ == errors.__name__]
    assert sorted(c.__name__ for c in classes) == errors.__all__
    assert all(issubclass(c, FalseRejectError) for c in classes)
    assert all(c.__name__ in errors.__doc__ for c in classes)


def test_exit_codes():
    codes = {c.__name__: c.exit_code for c in FalseRejectError.__subclasses__()}
    assert codes == {
        "UsageError": 2,
        "InputError": 1,
        "RoomError": 1,
        "StoreError": 1,
        "EndpointError": 1,
        "Stopped": 3,
    }
    assert (Stopped.exit_code, UsageError.exit_code, TaxonomyError.exit_code) == (3, 2, 1)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"path": "a.csv", "at": "row 3"}, "a.csv, row 3: broken"),
        ({"path": "a.csv"}, "a.csv: broken"),
        ({"at": "row 3"}, "row 3: broken"),
        ({}, "broken"),
    ],
)
def test_an_input_error_says_where(place, said):
    fault = InputError("broken", **place)
    assert str(fault) == said
    assert (fault.path, fault.at) == (place.get("path"), place.get("at", ""))


def test_a_reply_error_keeps_the_reply_out_of_its_line():
    fault = ReplyError("no JSON in it", raw="I cannot\nhelp")
    assert str(fault) == "no JSON in it"
    assert fault.raw == "I cannot\nhelp"
