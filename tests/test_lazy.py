"""Names that are imported at their first use."""

import pytest

import inrvid
from inrvid import data, evaluation, plugins


@pytest.mark.parametrize("module", [inrvid, data, evaluation, plugins], ids=lambda module: module.__name__)
def test_all_names_are_there_and_listed(module):
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_another_name_is_told_as_python_tells_it():
    with pytest.raises(AttributeError, match=r"module 'inrvid' has no attribute 'build_generater'"):
        inrvid.build_generater  # noqa: B018
