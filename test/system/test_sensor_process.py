"""`atalaya sensor` and `atalaya dashboard`: pipes with real receivers."""

import json
import os
import pty
import select
import socket
import subprocess
import time

import pytest

import rabbitmq
from atalaya import binary, until
from sensor import Sensor, Stream, record


def now():
    return int(time.time() * 1000)


def pipe(*publishers, aggregators=()):
    return {"period": 60, "aggregators": list(aggregators), "publishers": list(publishers)}


def part(mixin, **attributes):
    return {"mixin": mixin, "attributes": attributes}


@pytest.fixture(scope="module")
def broker():
    if reason := rabbitmq.missing():
        pytest.skip(reason)
    with rabbitmq.RabbitMq() as running:
        yield running


class Dashboard:
    """`atalaya dashboard` on a port of its own."""

    def __init__(self, count, stdout=subprocess.PIPE):
        self.process = subprocess.Popen([binary("atalaya"), "dashboard", "--udp", "127.0.0.1:0", "--count", str(count)],
                                        stdout=stdout, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline().strip()
        assert line.startswith("listening for datagrams on "), line
        self.address = line.rsplit(" ", 1)[1]


def test_values_become_datagrams_that_the_dashboard_shows(tmp_path):
    dashboard = Dashboard(count=3)
    aggregator = part("EWMA", instream="a", outstream="c", gain=2)
    with Sensor(tmp_path, pipe(part("SendUDP", input="c", udpAddr=dashboard.address), aggregators=[aggregator])) as sensor:
        at = now()
        sensor.connect().send(record("a", at, 10.0), record("a", at + 1, 11.0), record("a", at + 2, 10.25))
        out, _ = dashboard.process.communicate(timeout=30)
    lines = out.splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["Data: 10", "Data: 10.5", "Data: 10.375"]
    assert lines[0].split()[1].startswith("127.0.0.1:")


def test_a_terminal_gets_bars(tmp_path):
    terminal, inside = pty.openpty()
    dashboard = Dashboard(count=4, stdout=inside)
    os.close(inside)
    host, port = dashboard.address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for value in (1, 2, 3, 4):
            sender.sendto(f"Data: {value}".encode(), (host, int(port)))
    drawn = b""
    while dashboard.process.poll() is None or select.select([terminal], [], [], 0)[0]:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                drawn += os.read(terminal, 65536)
            except OSError:
                break
    os.close(terminal)
    assert dashboard.process.wait(30) == 0
    assert "▁▃▆█" in drawn.decode() and "4 datagrams of 1 senders" in drawn.decode()


def test_a_sensor_of_the_server_ends_with_its_connection(tmp_path):
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([binary("atalaya"), "sensor", "--connection", str(theirs.fileno())],
                               pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
    theirs.close()
    Stream(ours)
    ours.close()
    assert process.wait(30) == 0, process.stderr.read()


def test_a_sensor_keeps_to_its_memory(tmp_path):
    aggregator = part("Count", instream="a", outstream="c", window=3600)
    with pytest.raises(AssertionError) as ended:
        with Sensor(tmp_path, pipe(part("SendUDP", input="c", udpAddr="127.0.0.1:9"), aggregators=[aggregator]),
                    "--memory", "64MiB") as sensor:
            stream = sensor.connect()
            at = now()
            try:
                for number in range(10_000):
                    stream.send(record("a", at, 1.0, {"number": str(number), "x": "y" * 15_000}))
            except OSError:
                pass
            code = sensor.process.wait(30)
            assert code == 3
    assert "its memory is used up" in str(ended.value)


@pytest.mark.parametrize("arguments, words", [
    ([], "nothing says where records come from"),
    (["--listen", "127.0.0.1:0"], "anybody could send to 127.0.0.1:0"),
    (["--listen", "unix:/nonexistent/folder/s"], "/nonexistent/folder/s"),
    (["--listen", "unix:/tmp/x", "--memory", "1MiB"], "--memory is less than 64 MiB"),
    (["--listen", "unix:/tmp/x", "--tls-cert", "c.pem"], "belong together"),
    (["--listen", "unix:/tmp/x", "--publish-allow", "10.0.0.1/8"], "bits behind the prefix are set"),
    (["--listen", "unix:/tmp/x", "--pipe", "/nonexistent"], "/nonexistent"),
])
def test_says_what_is_wrong_with_its_arguments(arguments, words):
    done = subprocess.run([binary("atalaya"), "sensor", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert words in done.stderr


def test_a_token_does_not_cross_the_network_in_the_clear(tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    done = subprocess.run([binary("atalaya"), "sensor", "--listen", "0.0.0.0:0", "--token-file", token],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "--tls-cert" in done.stderr


def test_a_pipe_that_does_not_hold_names_file_and_stream(tmp_path):
    path = tmp_path / "pipe.yaml"
    path.write_text("sources: [a]\npublishers: [{mixin: Log, attributes: {in_msg: b, filename: x}}]\n")
    done = subprocess.run([binary("atalaya"), "sensor", "--pipe", path, "--listen", f"unix:{tmp_path}/s"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "pipe.yaml" in done.stderr and 'Log: in_msg: there is no stream "b"' in done.stderr


def test_rabbitmq_says_why_it_does_not_take_a_message(tmp_path, broker):
    url = f"amqp://127.0.0.1:{broker.port}"
    parts = [part("AMQP", input="a", url=url, password="wrong", routingkey="c"),
             part("AMQP", input="a", url=url, password="guest", routingkey="nowhere"),
             part("AMQP", input="a", url=url, password="guest", exchange="missing"),
             part("AMQP", input="a", url=url + "/missing", password="guest", routingkey="c")]
    with Sensor(tmp_path, pipe(*parts)) as sensor:
        stream = sensor.connect()
        stream.send(record("a", now(), 1.0))
        states = until(lambda: (s := stream.status()["publishers"]) and all(p["failures"] for p in s) and s,
                       what="four failures")
    words = [state["last_error"] for state in states]
    assert "log in" in words[0] and "wrong" not in words[0]
    assert "no queue takes a message" in words[1]
    assert "no exchange 'missing'" in words[2]
    assert "missing" in words[3]


def test_publishes_to_rabbitmq_also_after_the_broker_was_away(tmp_path, broker):
    broker.declare("c")
    url = f"amqp://127.0.0.1:{broker.port}"
    with Sensor(tmp_path, pipe(part("AMQP", input="a", url=url, password="guest", routingkey="c"))) as sensor:
        stream = sensor.connect()
        at = now()
        stream.send(record("a", at, 12.5, {"host": "x"}))
        until(lambda: stream.status()["publishers"][0]["delivered"] == 1, what="a confirm")
        message = json.loads(broker.get("c"))
        assert message["value"] == 12.5 and message["labels"] == {"host": "x"} and message["stream"] == "a"
        broker.stop()
        stream.send(record("a", at + 1, 1.0), record("a", at + 2, 2.0))
        state = until(lambda: (s := stream.status()["publishers"][0]) and s["failures"] > 0 and s, what="a failure")
        assert state["failing"] and state["queued"] == 2 and state["dropped"] == 0 and state["last_error"]
        broker.start()
        until(lambda: stream.status()["publishers"][0]["delivered"] == 3, timeout=90, what="what was queued")
        # A broker that was killed may have forgotten that the first one was taken.
        values = [json.loads(message)["value"] for message in iter(lambda: broker.get("c"), None)]
        assert values[-2:] == [1.0, 2.0]


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_real_syslog_daemon_reads_what_is_sent(tmp_path, scheme):
    program = "/usr/sbin/rsyslogd"
    if not os.path.exists(program):
        pytest.skip("rsyslog is not installed (script/setup)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    module = "imudp" if scheme == "udp" else "imtcp"
    (tmp_path / "rsyslog.conf").write_text(
        f'module(load="{module}")\ninput(type="{module}" address="127.0.0.1" port="{port}")\n'
        'template(name="t" type="string" string="%pri%|%timestamp:::date-rfc3339%|%app-name%|%msg%\\n")\n'
        f'action(type="omfile" file="{tmp_path}/out" template="t")\n')
    daemon = subprocess.Popen([program, "-n", "-f", tmp_path / "rsyslog.conf", "-i", tmp_path / "pid"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: (tmp_path / "pid").exists(), what="rsyslogd runs")
        with Sensor(tmp_path, pipe(part("Syslog", input="a", address=f"{scheme}://127.0.0.1:{port}"))) as sensor:
            stream = sensor.connect()

            def arrived():
                # What is sent before the daemon listens is lost, of UDP without a word.
                stream.send(record("a", now(), 12.5, {"host": "x"}))
                return (tmp_path / "out").exists() and (tmp_path / "out").read_text().splitlines()
            lines = until(arrived, what="a message")
            assert lines[0].startswith("134|20") and lines[0].endswith('|atalaya|a{host="x"} 12.5')
    finally:
        daemon.terminate()
        daemon.wait(30)


def test_datagrams_reach_no_address_that_is_not_allowed(tmp_path):
    with Sensor(tmp_path, pipe(part("SendUDP", input="a", udpAddr="192.0.2.1:9")), "--publish-loopback=false") as sensor:
        stream = sensor.connect()
        stream.send(record("a", now(), 1.0))
        state = until(lambda: (s := stream.status()["publishers"][0]) and s["failures"] and s, what="a refusal")
        assert "192.0.2.1 is not allowed" in state["last_error"] and state["delivered"] == 0
