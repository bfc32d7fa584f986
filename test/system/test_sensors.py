"""Monitoring on demand through OCCI: from a POST to datagrams, with the real server, a real agent and a UDP socket."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from atalaya import ROOT, Agent, Server, until
from occi import JSON, Client, attribute, id_of, kind, refused
from sensors import (AGGREGATOR, METRIC, MONITORING, OWN, PUBLISHER, Udp, becomes, cpu, make_collector, make_compute,
                     make_sensor, mixin, own, sends, state)

@pytest.fixture
def agent(server, tmp_path):
    with Agent(tmp_path / "agent", server, name="web-1") as running:
        until(lambda: server.query('node_load1{instance="web-1"}'), what="the agent's first samples")
        yield running


def test_discovery_shows_the_monitoring_extension(server):
    occi = Client(server)
    model = occi("GET", "/-/", accept=JSON).json
    kinds = {k["term"]: k for k in model["kinds"] if k["scheme"] == MONITORING}
    assert set(kinds) == {"sensor", "collector"}
    assert kinds["sensor"]["attributes"]["occi.sensor.timebase"]["type"] == "number"
    assert len(kinds["sensor"]["actions"]) == 2
    mixins = {m["scheme"] + m["term"]: m for m in model["mixins"]}
    assert {METRIC + "CPUPercent", METRIC + "IsReachable", AGGREGATOR + "EWMA", PUBLISHER + "SendUDP",
            PUBLISHER + "Log", PUBLISHER + "EmailOnAlarm"} <= set(mixins)
    reachable = mixins[METRIC + "IsReachable"]
    assert reachable["applies"] == [MONITORING + "collector"] and MONITORING + "metric" in reachable["depends"]
    assert reachable["attributes"][OWN + "IsReachable.hostname"]["required"] is True
    assert reachable["attributes"][OWN + "IsReachable.maxdelay"]["default"] == 1000


def test_a_posted_collector_measures_and_its_values_come_as_datagrams(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    with Udp() as udp:
        sensor = occi.text("POST", "/occi/sensor/", kind("sensor", MONITORING), *sends(udp.address))
        ident = id_of(sensor)
        collector = occi.text("POST", "/occi/collector/", kind("collector", MONITORING), *cpu(),
                              attribute("occi.core.source", f"/occi/sensor/{ident}"),
                              attribute("occi.core.target", "/occi/compute/web"), attribute("occi.collector.period", 1))
        link = id_of(collector)
        for _ in range(3):
            assert 0 <= udp.value() <= 100
        becomes(occi, "sensor", ident, "active", "values have come")
        becomes(occi, "collector", link, "active", "CPUPercent was")
    stored = server.query('{__collector__=~".+"}')
    assert stored == [], "what is measured for sensors is no series of the store"


def test_an_average_in_json_from_either_end(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    with Udp() as udp:
        made = occi.json("POST", "/occi/", {"resources": [
            {"id": "s", "kind": MONITORING + "sensor", "mixins": [PUBLISHER + "SendUDP", AGGREGATOR + "EWMA"],
             "attributes": {"com": {"example": {"occi": {"monitoring": {
                 "SendUDP": {"udpAddr": udp.address, "input": "c"},
                 "EWMA": {"gain": 16, "instream": "a", "outstream": "c"}}}}}}}],
            "links": [{"id": "c", "kind": MONITORING + "collector", "mixins": [METRIC + "MemoryPercent"],
                       "attributes": {"occi": {"collector": {"period": 1}}, OWN + "MemoryPercent.out": "a"},
                       "source": "/occi/compute/web", "target": "/occi/sensor/s"}]})
        assert made.status == 201, made.text
        assert 0 < udp.value() < 100
        assert 0 < udp.value() < 100


def test_wiring_that_is_wrong_is_named_and_changes_nothing(server):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    refused(make_sensor(occi, "s", mixin("EWNA", AGGREGATOR)), 400, AGGREGATOR + "EWNA", "EWMA")
    refused(make_sensor(occi, "s", mixin("SendUDP", PUBLISHER), own("SendUDP.udpAddr", "127.0.0.1:9")), 400,
            "SendUDP.input")
    refused(make_sensor(occi, "s", mixin("EWMA", AGGREGATOR), own("EWMA.instream", "a"), own("EWMA.outstream", "a")), 400,
            "circle", "a")
    refused(make_sensor(occi, "s", mixin("EWMA", AGGREGATOR), mixin("Delta", AGGREGATOR), own("EWMA.instream", "a"),
                        own("EWMA.outstream", "b"), own("Delta.instream", "b"), own("Delta.outstream", "a")), 400,
            "circle", "→")
    refused(make_sensor(occi, "s", attribute("occi.sensor.period", 0)), 400, "occi.sensor.period")
    for path in ("../up", "/etc/passwd", "a//b", "a/.b", ".hidden", "a/"):
        refused(make_sensor(occi, "s", mixin("Log", PUBLISHER), own("Log.in_msg", "a"), own("Log.filename", path)), 400,
                "Log.filename")
    refused(make_sensor(occi, "s", attribute("occi.sensor.timestart", 5), attribute("occi.sensor.timestop", 5)), 400,
            "occi.sensor.timestop")
    assert occi("GET", "/occi/sensor/s").status == 404
    assert make_sensor(occi, "s", *sends("127.0.0.1:9")).status == 201
    refused(make_collector(occi, "c", "s", "web", *cpu("b")), 400, "CPUPercent.out", '"b"', "it reads a")
    refused(make_collector(occi, "c", "s", "web", mixin("CPUPercnt", METRIC)), 400, "CPUPercent")
    refused(make_collector(occi, "c", "s", "none", *cpu()), 400, "none")
    refused(make_collector(occi, "c", "s", "s", *cpu()), 400)
    refused(make_collector(occi, "c", "s", "web", mixin("IsReachable", METRIC), own("IsReachable.out", "a")), 400,
            "IsReachable.hostname")
    assert occi("GET", "/occi/collector/c").status == 404
    unlisted = make_collector(occi, "c", "s", "web", own("CPUPercent.out", "a"))
    assert unlisted.status == 201 and any("counts as listed" in w for w in unlisted.all("Warning"))
    refused(occi.text("POST", "/occi/sensor/s", own("SendUDP.input", "z")), 400, "CPUPercent.out", "c")


def test_sensors_of_packages_run_and_what_occi_makes_is_a_package(server, agent):
    occi = Client(server)
    with Udp() as udp:
        server.write_package("site", f"""package: site
version: 1.0.0
computes: {{shop: {{web: {{hostname: web-1}}}}}}
sensors:
  shop:
    load:   # of the shop
      mixins: ["{PUBLISHER}SendUDP"]
      attributes: {{{OWN}SendUDP.input: a, {OWN}SendUDP.udpAddr: "{udp.address}"}}
collectors:
  shop:
    load:   # as its sensor
      source: shop/load
      target: shop/web
      period: 1s
      mixins: ["{METRIC}CPULoad"]
      attributes: {{{OWN}CPULoad.out: a, {OWN}CPULoad.minutes: "5"}}
""")
        assert udp.value() >= 0
        assert len(occi("GET", "/occi/collector/", accept="text/uri-list").lines) == 1
        url = until(lambda: occi("GET", "/occi/sensor/", accept="text/uri-list").lines, what="the sensor")[0]
        path = url[url.index("/occi/"):]
        assert occi("POST", path + "?action=stop").status == 200
        text = (server.data / "packages/default/site/package.yaml").read_text()
        assert "state: inactive" in text and "# of the shop" in text
        assert make_sensor(occi, "mine", *sends(udp.address)).status == 201
        item = server.get("/packages/ondemand/items/sensors/occi/mine")
        assert item["effective"]["attributes"][OWN + "SendUDP.udpAddr"] == udp.address


def test_stop_start_period_and_deletion(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    config = pathlib.Path(agent.data) / "config.json"
    with Udp() as udp, Udp() as other:
        for ident, sink in (("s", udp), ("t", other)):
            assert make_sensor(occi, ident, *sends(sink.address)).status == 201
            assert make_collector(occi, "c" + ident, ident, "web", *cpu(), attribute("occi.collector.period", 1)).status == 201
        udp.value(), other.value()
        assert occi("POST", "/occi/sensor/s?action=stop").status == 200
        assert state(occi, "sensor", "s")[0] == "inactive"
        until(lambda: "occi:cs/" not in config.read_text(), what="the agent's orders without the collector")
        udp.empty()
        other.empty()
        other.value(), other.value()
        with pytest.raises(BlockingIOError):
            udp.socket.setblocking(False)
            udp.socket.recv(100)
        udp.socket.settimeout(30)
        assert occi("POST", "/occi/sensor/s?action=start").status == 200
        udp.value()
        assert occi.text("POST", "/occi/collector/cs", attribute("occi.collector.period", 3600)).status == 200
        until(lambda: '"period":3600000' in config.read_text(), what="the agent's new period")
        assert occi("DELETE", "/occi/sensor/s").status == 200
        assert occi("GET", "/occi/collector/cs").status == 404, "it goes with its sensor"
        assert occi("DELETE", "/occi/sensor/t").status == 200
        until(lambda: "occi:" not in config.read_text(), what="the agent's orders without any")
    metrics = server.call("GET", "/metrics")
    assert "\natalaya_sensors_running 0\n" in metrics
    assert [f for f in (server.data / "packages/default/ondemand").glob("*") if "sensors" in f.name or "collectors" in f.name] == []


def test_an_agent_that_is_away_gets_its_orders_when_it_returns_and_keeps_them(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    agent.stop()
    with Udp() as udp:
        assert make_sensor(occi, "s", *sends(udp.address)).status == 201
        assert make_collector(occi, "c", "s", "web", *cpu(), attribute("occi.collector.period", 1)).status == 201
        becomes(occi, "collector", "c", "inactive", "away")
        agent.start()
        udp.value()
        becomes(occi, "collector", "c", "active")
        agent.kill()
        agent.start()
        until(lambda: "occi:c/CPUPercent" in (pathlib.Path(agent.data) / "config.json").read_text(), what="kept orders")
        udp.empty()
        udp.value()
        server.kill()
        server.start()
        udp.empty()
        udp.value()
        becomes(occi, "sensor", "s", "active", "values have come")


def test_the_last_error_of_a_collector_is_shown(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    assert make_sensor(occi, "s", *sends("127.0.0.1:9")).status == 201
    made = make_collector(occi, "c", "s", "web", mixin("DiskPercent", METRIC), own("DiskPercent.out", "a"),
                          own("DiskPercent.mountpoint", "/no/such/place"), attribute("occi.collector.period", 1))
    assert made.status == 201, made.text
    becomes(occi, "collector", "c", "error", "/no/such/place")
    assert occi.text("POST", "/occi/collector/c", own("DiskPercent.mountpoint", "/")).status == 200
    until(lambda: state(occi, "collector", "c")[0] != "error", what="no error any more")


def test_every_metric_of_the_agent_is_measured(server, agent, tmp_path):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    log = tmp_path / "app.log"
    log.write_text("")
    port = server.url.rsplit(":", 1)[1]
    cases = {
        "CPUPercent": {}, "CPULoad": {"minutes": "15"}, "MemoryPercent": {}, "SwapPercent": {},
        "ProcessRuns": {"name": "atalaya-agent"}, "TCPConnects": {"address": f"127.0.0.1:{port}"},
        "HTTPAnswers": {"url": server.url + "/-/healthy", "status": 200}, "HTTPDelay": {"url": server.url + "/-/healthy"},
        "LogMatches": {"path": str(log), "pattern": "ERROR"},
    }
    if server.query('node_filesystem_size_bytes{mountpoint="/",instance="web-1"}'):
        cases["DiskPercent"] = {"mountpoint": "/"}
    if server.query('node_network_receive_bytes_total{instance="web-1"}'):
        cases |= {"NetworkReceived": {}, "NetworkSent": {}}
    if server.query('node_disk_read_bytes_total{instance="web-1"}'):
        cases |= {"DiskRead": {}, "DiskWritten": {}}
    with Udp() as udp:
        assert make_sensor(occi, "s", *sends(udp.address)).status == 201
        for term, settings in cases.items():
            made = make_collector(occi, "c-" + term, "s", "web", mixin(term, METRIC), own(term + ".out", "a"),
                                  attribute("occi.collector.period", 5 if term == "LogMatches" else 1),
                                  *[own(f"{term}.{k}", v) for k, v in settings.items()])
            assert made.status == 201, f"{term}: {made.text}"
        for term in cases:
            becomes(occi, "collector", "c-" + term, "active", term + " was")
        for term in ("ProcessRuns", "TCPConnects", "HTTPAnswers"):
            assert " was 1 at " in state(occi, "collector", "c-" + term)[1], term
        with log.open("a") as out:
            out.write("ERROR one\nfine\nERROR two\n")
        becomes(occi, "collector", "c-LogMatches", "active", "LogMatches was 2 at ")


def processes_of(ident):
    """Of sensors of this name that run on their own."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sensor" in words and f"--name={ident}".encode() in words:
            found.append(int(path.parent.name))
    return found


def test_a_sensor_as_a_process_of_its_own_survives_its_death_and_leaves_with_its_entity(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    ident = "process-" + os.urandom(4).hex()
    with Udp() as udp:
        store = [mixin("Store", PUBLISHER), own("Store.input", "a"), own("Store.metric", "cpu_of_process")]
        made = make_sensor(occi, ident, *sends(udp.address), *store, attribute("atalaya.sensor.placement", "process"))
        assert made.status == 201, made.text
        made = make_collector(occi, "cpu", ident, "web", *cpu(), attribute("occi.collector.period", 1))
        assert made.status == 201, made.text
        assert udp.value() >= 0
        until(lambda: server.query("cpu_of_process"), what="what came back into the store")
        first = processes_of(ident)
        assert len(first) == 1
        os.kill(first[0], signal.SIGKILL)
        until(lambda: (p := processes_of(ident)) and p != first, what="another process")
        udp.empty()
        assert udp.value() >= 0
        becomes(occi, "sensor", ident, "active", "values have come")
        assert occi("DELETE", f"/occi/sensor/{ident}").status == 200
        until(lambda: not processes_of(ident), what="no process")


def test_destinations_beyond_loopback_need_a_word(server, agent):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    assert make_sensor(occi, "s", *sends("192.0.2.1:9")).status == 201
    assert make_collector(occi, "c", "s", "web", *cpu(), attribute("occi.collector.period", 1)).status == 201
    becomes(occi, "sensor", "s", "error", "192.0.2.1")


def test_sensors_of_other_tenants_and_roles(server, agent):
    occi = Client(server)
    reader = Client(server, Server.cli("token", "create", "--data", server.data, "--role", "viewer", "--ttl", "1h").strip())
    assert make_sensor(occi, "s", *sends("127.0.0.1:9")).status == 201
    assert make_sensor(reader, "t", *sends("127.0.0.1:9")).status == 403
    assert reader("GET", "/occi/sensor/s").status == 200 and reader("POST", "/occi/sensor/s?action=stop").status == 403
    token = Server.cli("token", "create", "--data", server.data, "--tenant", "other", "--role", "admin", "--ttl", "1h").strip()
    other = Client(server, token)
    assert other("GET", "/occi/sensor/s").status == 404
    # The same host name is another tenant's machine there: nobody measures it.
    until(lambda: other.text("PUT", "/occi/compute/web", kind("compute"), attribute("occi.compute.hostname", "web-1")).status == 201,
          what="the other tenant's compute")
    assert make_sensor(other, "s", *sends("127.0.0.1:9")).status == 201
    assert make_collector(other, "c", "s", "web", *cpu()).status == 201
    assert state(other, "collector", "c")[0] == "inactive"
    assert "occi:" not in (pathlib.Path(agent.data) / "config.json").read_text()


def test_the_published_demo_loads_unchanged_and_sends_datagrams():
    folder = pathlib.Path(os.environ.get("ATALAYA_REFERENCE_DATA", ROOT.parent / "shared/data")) / "occi/occimon-live"
    if not folder.exists():
        pytest.skip(f"no {folder} (ATALAYA_REFERENCE_DATA)")
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"no network namespace can be made here: {probe.stderr.strip()}")
    done = subprocess.run(["unshare", "--net", sys.executable, str(ROOT / "test/support/occi_demo.py"), str(folder)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Data: ") >= 3, done.stdout


def test_the_demo_shows_each_step_and_prints_datagrams():
    out = Server.cli("demo", "occi", "--count", "2")
    for words in ("> POST /occi/compute/", "> POST /occi/sensor/", "> POST /occi/collector/", "> DELETE /occi/sensor/s1111"):
        assert words in out, out
    assert len(re.findall(r"(?m)^Data: [0-9.e+-]+$", out)) == 2, out
