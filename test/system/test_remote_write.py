"""Remote write through the real server: Debian's prometheus as the sender, and bodies made by hand."""

import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from atalaya import HttpError, Server, until

V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, payload):
    """A length-delimited field of protobuf."""
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def sample(value, ms):
    return b"\x09" + struct.pack("<d", value) + b"\x10" + varint(ms)


def body_v1(series):
    """`series`: [({name: value}, [(value, ms)])]"""
    out = b""
    for labels, samples in series:
        one = b"".join(field(1, field(1, name) + field(2, value)) for name, value in sorted(labels.items()))
        one += b"".join(field(2, sample(*pair)) for pair in samples)
        out += field(1, one)
    return out


def body_v2(series, extra=b""):
    symbols, out = {"": 0}, b""
    for labels, samples in series:
        packed = b"".join(varint(symbols.setdefault(text, len(symbols)))
                          for pair in sorted(labels.items()) for text in pair)
        out += field(5, field(1, packed) + b"".join(field(2, sample(*pair)) for pair in samples) + extra)
    return b"".join(field(4, text) for text in symbols) + out


def snappy(data):
    """The block format with literals alone."""
    out = varint(len(data))
    for at in range(0, len(data), 60):
        part = data[at:at + 60]
        out += bytes([(len(part) - 1) << 2]) + part
    return out


def write(server, body, token, type="application/x-protobuf"):
    request = urllib.request.Request(f"{server.url}/api/v1/write", data=snappy(body), method="POST", headers={
        "Authorization": f"Bearer {token}", "Content-Type": type, "Content-Encoding": "snappy"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def ingest_token(server):
    return server.cli("token", "create", "--data", str(server.data), "--role", "ingest").strip()


def written(headers):
    return [headers.get(f"X-Prometheus-Remote-Write-{kind}-Written") for kind in ("Samples", "Histograms", "Exemplars")]


def test_bodies_of_both_versions_are_there_when_the_answer_is_and_after_kill_9(server):
    token, now = ingest_token(server), int(time.time() * 1000)
    status, headers, _ = write(server, body_v1([({"__name__": "one", "job": "a"}, [(1.5, now)])]), token)
    assert (status, written(headers)) == (204, [None, None, None])
    status, headers, _ = write(server, body_v2([({"__name__": "two", "job": "a"}, [(2, now - 1000), (3, now)])]), token, V2)
    assert (status, written(headers)) == (204, ["2", "0", "0"])
    server.kill()
    server.start()
    values = {labels["__name__"]: value for labels, value in server.query('{job="a"}', time=now / 1000)}
    assert values == {"one": 1.5, "two": 3}


def test_what_is_refused_is_told_and_the_rest_is_written(server):
    token, now = ingest_token(server), int(time.time() * 1000)
    body = body_v2([({"__name__": "good"}, [(1, now)]), ({"__name__": "ahead"}, [(1, now + 3_600_000)]),
                    ({"job": "nameless"}, [(1, now)])])
    status, headers, text = write(server, body, token, V2)
    assert status == 400 and written(headers) == ["1", "0", "0"]
    assert "1 of 3 samples were written" in text and "ahead" in text and "nameless" in text
    status, headers, text = write(server, body_v2([({"__name__": "good"}, [(2, now)])]), token, V2)
    assert status == 400 and written(headers) == ["0", "0", "0"] and "another value" in text
    status, _, _ = write(server, body_v2([({"__name__": "good"}, [(1, now)])]), token, V2)
    assert status == 204, "the same sample again is no fault"
    status, headers, text = write(server, body_v2([({"__name__": "h"}, [])], extra=field(3, b"")), token, V2)
    assert status == 400 and written(headers) == ["0", "0", "0"] and "histogram" in text
    assert [value for _, value in server.query("good", time=now / 1000)] == [1]


def test_other_types_are_415_and_a_token_for_writing_reads_nothing(server):
    token = ingest_token(server)
    assert write(server, b"", token, "text/plain")[0] == 415
    assert write(server, b"", "")[0] == 401
    viewer = server.cli("token", "create", "--data", str(server.data), "--role", "viewer").strip()
    assert write(server, b"", viewer)[0] == 403
    with pytest.raises(HttpError) as refused:
        server.call("GET", "/api/v1/query?query=up", token=token)
    assert refused.value.status == 403


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_prometheus_sends_what_it_scrapes(server, tmp_path):
    token = ingest_token(server)
    (tmp_path / "token").write_text(token)
    viewer = server.cli("token", "create", "--data", str(server.data), "--role", "admin").strip()
    (tmp_path / "viewer").write_text(viewer)
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, external_labels: {{sender: debian}}}}
scrape_configs:
- job_name: atalaya
  authorization: {{credentials_file: {tmp_path}/viewer}}
  static_configs: [{{targets: ["{server.url.removeprefix('http://')}"]}}]
- job_name: nobody
  static_configs: [{{targets: ["127.0.0.1:1"]}}]
remote_write:
- url: {server.url}/api/v1/write
  authorization: {{credentials_file: {tmp_path}/token}}
  queue_config: {{batch_send_deadline: 200ms}}
""")
    port = free_port()
    with open(tmp_path / "log", "w") as log:
        sender = subprocess.Popen(["prometheus", f"--config.file={tmp_path}/prometheus.yml",
                                   f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
                                  stdout=log, stderr=log)
    try:
        up = until(lambda: server.query('up{sender="debian", job="atalaya"}'), 60, "a scrape that arrives")
        labels, value = up[0]
        assert value == 1 and labels["instance"].startswith("127.0.0.1:")
        until(lambda: [v for _, v in server.query('up{sender="debian", job="nobody"}')] == [0], 30, "a failed scrape")
        # What it scraped is what it sent: more than a scrape, and with the values of that instant.
        until(lambda: server.query('count_over_time(up{sender="debian", job="atalaya"}[1m]) > 2'), 30, "more scrapes")
        assert server.query('count({sender="debian", __name__=~"atalaya_.+|process_.+"}) > 20')
        assert "non-recoverable" not in (tmp_path / "log").read_text()
    finally:
        sender.send_signal(signal.SIGTERM)
        sender.wait(30)


def test_nothing_that_was_acknowledged_is_lost_while_many_write(tmp_path):
    with Server(tmp_path / "data") as server:
        token, now = ingest_token(server), int(time.time() * 1000) - 60_000
        counts = [0] * 8

        def run(number):
            for i in range(25):
                series = [({"__name__": "many", "writer": str(number), "series": str(k)}, [(i, now + i)]) for k in range(20)]
                status, _, text = write(server, body_v1(series), token)
                assert status == 204, text
                counts[number] += len(series)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(counts) == 8 * 25 * 20
        stored = server.query("sum(count_over_time(many[5m]))")
        assert stored == [({}, 8 * 25 * 20)]
