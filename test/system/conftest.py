"""Fixtures of the system tests: the real binaries, each run with its own data folder and port."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from atalaya import Server  # noqa: E402
from sinks import WebhookSink  # noqa: E402


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def server(data):
    """`atalaya server`, signed in as an administrator; stopped with SIGTERM at the end."""
    with Server(data) as running:
        yield running


@pytest.fixture
def watchtower(data):
    """`atalaya up`: the server and an agent for this machine."""
    with Server(data, command="up") as running:
        yield running


@pytest.fixture
def webhook():
    with WebhookSink() as sink:
        yield sink
