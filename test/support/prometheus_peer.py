"""Debian's prometheus beside ours."""

import shutil
import socket
import subprocess

import pytest

from atalaya import HttpError, Server, until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """Debian's prometheus with this configuration; `api` asks it as our server is asked."""

    def __init__(self, config, folder):
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed")
        port = free_port()
        self.process = subprocess.Popen([program, f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                                         f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
        self.api = Server(folder / "none")
        self.api.url, self.api.token = f"http://127.0.0.1:{port}", None

    def __enter__(self):
        until(self.is_ready, what="prometheus")
        return self.api

    def is_ready(self):
        try:
            return self.api.call("GET", "/-/ready")
        except HttpError:  # it is up and not ready
            return None

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
