"""A listener of the live socket (docs/formats/live.md)."""

import base64
import os
import socket
import struct
import urllib.parse


class LiveSocket:
    """As much of a WebSocket as a listener needs: RFC 6455, text frames below 64 KiB."""

    def __init__(self, url, ticket):
        """`url` of the server; `ticket` as POST /auth/ws-ticket gives it."""
        host, port = urllib.parse.urlsplit(url).netloc.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /api/atalaya/v1/live?ticket={ticket} HTTP/1.1\r\nHost: {host}:{port}\r\n"
                            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.stream = self.socket.makefile("rb")
        assert b"101" in self.stream.readline()
        while self.stream.readline().strip():
            pass

    def send(self, text):
        self._send(0x1, text.encode())

    def _send(self, kind, data):
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.socket.sendall(bytes([0x80 | kind]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        """The next text; an error when the other side closes. Answers pings."""
        while True:
            first, length = self.stream.read(2)
            if length == 126:
                length = struct.unpack(">H", self.stream.read(2))[0]
            data = self.stream.read(length)
            assert first & 0x0F != 8, f"closed by the server: {data!r}"
            if first & 0x0F == 9:
                self._send(0xA, data)
            if first & 0x0F == 1:
                return data.decode()

    def close(self):
        self.socket.close()
