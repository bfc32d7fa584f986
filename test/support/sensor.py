"""A sensor of its own process, and whoever sends it framed records (docs/formats/stream.md)."""

import json
import os
import socket
import struct
import subprocess
import tempfile

from atalaya import binary


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return varint(len(raw)) + raw


def frame(kind, body=b""):
    return struct.pack("<IB", len(body) + 1, kind) + body


def record(stream, time_ms, value, labels=None):
    packed = b"".join(text(name) + text(label) for name, label in sorted((labels or {}).items()))
    what = b"\x01" + text(value) if isinstance(value, str) else b"\x00" + struct.pack("<d", value)
    return text(stream) + varint(time_ms << 1) + text(packed) + what


class Stream:
    """One connection that has said Hello."""

    def __init__(self, connection, token=""):
        self.connection = connection
        connection.settimeout(30)
        connection.sendall(frame(1, text("atalaya-stream") + varint(1) + text(token)))
        kind, _ = self.read()
        assert kind == 2, f"no Welcome but a frame of type {kind}"

    def exactly(self, size):
        out = b""
        while len(out) < size:
            more = self.connection.recv(size - len(out))
            if not more:
                raise EOFError("the sensor ended the connection")
            out += more
        return out

    def read(self):
        size = struct.unpack("<I", self.exactly(4))[0]
        body = self.exactly(size)
        return body[0], body[1:]

    def send(self, *records):
        self.connection.sendall(frame(3, b"".join(records)))

    def status(self):
        self.connection.sendall(frame(5))
        kind, body = self.read()
        assert kind == 6
        size, shift, at = 0, 0, 0
        while True:
            size |= (body[at] & 127) << shift
            shift += 7
            at += 1
            if body[at - 1] < 128:
                return json.loads(body[at:at + size])


class Sensor:
    """`atalaya sensor` with a pipe, on a Unix socket; stopped with SIGTERM at the end."""

    def __init__(self, folder, pipe, *arguments):
        self.folder = folder
        # Paths of sockets are short.
        self.home = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.home.name, "s")
        path = folder / "pipe.json"
        path.write_text(json.dumps(pipe))
        self.process = subprocess.Popen([binary("atalaya"), "sensor", "--pipe", str(path), "--listen",
                                         f"unix:{self.socket}", *map(str, arguments)], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if not line.startswith("listening for records"):
            self.process.kill()
            raise AssertionError(line + self.process.stderr.read())

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.socket)
        return Stream(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.process.stderr.read()
        assert not os.path.exists(self.socket)
        self.home.cleanup()
