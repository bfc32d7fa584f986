"""Sensors that run in agents: what is measured stays on the host, and only what the pipe publishes leaves it."""

import pathlib

import pytest

from atalaya import Agent, until
from occi import Client, attribute, refused
from sensors import (METRIC, PUBLISHER, Udp, aggregates, becomes, cpu, make_collector, make_compute, make_sensor, mixin,
                     own, publishes, sends)

IN_AGENT = attribute("atalaya.sensor.placement", "agent")
EVERY_SECOND = attribute("occi.collector.period", 1)


@pytest.fixture
def agent(server, tmp_path):
    with Agent(tmp_path / "agent", server, name="web-1", run_arguments=["--publish-allow", "127.0.0.0/8"]) as running:
        until(lambda: server.query('node_load1{instance="web-1"}'), what="the agent's first samples")
        yield running


def counter(server, name):
    for line in server.call("GET", "/metrics", raw=True).decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return 0.0


def test_values_stay_on_the_host_and_what_is_published_leaves_it(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    with Udp() as udp:
        made = make_sensor(occi, "s", IN_AGENT, *aggregates("EWMA", "a", "c", gain=2), *sends(udp.address, "c"),
                           *publishes("Store", "c", metric="cpu_smooth"))
        assert made.status == 201, made.text
        made = make_collector(occi, "cpu", "s", "web", *cpu(), EVERY_SECOND)
        assert made.status == 201, made.text
        assert 0 <= udp.value() <= 100
        until(lambda: server.query('cpu_smooth{instance="web-1",collector="cpu",sensor="s"}'), what="what was stored")
        becomes(occi, "sensor", "s", "active", "in the agent of web-1: ")
        becomes(occi, "collector", "cpu", "active", "values came in the agent")
        told = (pathlib.Path(agent.data) / "config.json").read_text()
        assert '"type":"piped"' in told and '"type":"metric"' not in told
        # Without the store nothing of it comes to the server but how many there were.
        made = make_sensor(occi, "s", IN_AGENT, *sends(udp.address))
        assert made.status in (200, 201), made.text
        until(lambda: "Store" not in (pathlib.Path(agent.data) / "config.json").read_text(), what="the agent's new orders")
        before = counter(server, "atalaya_sensor_values_total")
        udp.empty()
        for _ in range(3):
            udp.value()
        assert counter(server, "atalaya_sensor_values_total") == before
        assert occi("DELETE", "/occi/sensor/s").status == 200
        until(lambda: "occi:" not in (pathlib.Path(agent.data) / "config.json").read_text(), what="no orders")
        udp.empty()


def test_a_pipe_runs_on_while_the_server_is_away_and_after_the_agent_was_killed(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    with Udp() as udp:
        assert make_sensor(occi, "s", IN_AGENT, *sends(udp.address)).status == 201
        assert make_collector(occi, "cpu", "s", "web", *cpu(), EVERY_SECOND).status == 201
        udp.value()
        agent.kill()
        becomes(occi, "sensor", "s", "inactive", "the agent of web-1")
        becomes(occi, "collector", "cpu", "inactive", "the agent of web-1 is away")
        udp.empty()
        server.stop()
        agent.start()
        udp.value()
        server.start()
        becomes(Client(server), "sensor", "s", "active", "in the agent of web-1")
        udp.empty()
        udp.value()


def test_what_an_agent_may_not_reach_is_the_sensors_error(server, tmp_path):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    with Agent(tmp_path / "agent", server, name="web-1"):
        assert make_sensor(occi, "s", IN_AGENT, *sends("127.0.0.1:9")).status == 201
        assert make_collector(occi, "cpu", "s", "web", *cpu(), EVERY_SECOND).status == 201
        becomes(occi, "sensor", "s", "error", "on web-1: ")
        state = becomes(occi, "sensor", "s", "error", "SendUDP")
        assert "127.0.0.1 is not allowed" in state[1]
        # The next pipe has nothing to complain of.
        assert make_sensor(occi, "s", IN_AGENT, mixin("Log", PUBLISHER), own("Log.in_msg", "a"),
                           own("Log.filename", "cpu.log")).status in (200, 201)
        becomes(occi, "sensor", "s", "active", "in the agent of web-1")
        path = tmp_path / "agent" / "publish" / "default" / "cpu.log"
        until(lambda: path.exists() and "CPUPercent" in path.read_text(), what="lines on the host")


def test_the_last_error_of_a_collector_there_is_shown(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    assert make_sensor(occi, "s", IN_AGENT, *sends("127.0.0.1:9")).status == 201
    made = make_collector(occi, "tcp", "s", "web", mixin("DiskPercent", METRIC),
                          own("DiskPercent.out", "a"), own("DiskPercent.mountpoint", "/no/such/place"), EVERY_SECOND)
    assert made.status == 201, made.text
    becomes(occi, "collector", "tcp", "error", "/no/such/place")


def test_what_agents_cannot_publish_is_refused(server):
    occi = Client(server)
    made = make_sensor(occi, "s", IN_AGENT, *publishes("AMQP", "a", url="amqp://127.0.0.1:5672", routingkey="x"))
    refused(made, 400, "AMQP")
