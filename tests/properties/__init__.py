"""Comparisons over many random histories; a failing one shows what differs."""

import pytest

pytest.register_assert_rewrite("tests.properties.comparison")
