from __future__ import annotations

import pytest

from tests.core.conftest import calls_move_by_the_table
from tests.sim.test_seeds import SEEDS

__all__ = ["calls_move_by_the_table"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, action="append", help="simulate these seeds instead")
    parser.addoption("--seeds", type=int, help="simulate so many seeds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sim_seed" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--seed")
        many = metafunc.config.getoption("--seeds")
        metafunc.parametrize("sim_seed", chosen or (range(many) if many else SEEDS))
