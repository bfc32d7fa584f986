"""What flows through sensors, for those who look."""

import pytest

from atalaya import API, HttpError, Server, until
from occi import Client, attribute
from test_sensors import Udp, agent, cpu, make_collector, make_compute, make_sensor, mixin, own, sends, AGGREGATOR  # noqa: F401

FLOW = "/sensors/flow?sensors="


def test_the_newest_values_of_a_sensor_are_seen(server, agent):  # noqa: F811
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    with Udp() as udp:
        average = [mixin("EWMA", AGGREGATOR), own("EWMA.instream", "a"), own("EWMA.outstream", "c")]
        assert make_sensor(occi, "s", *sends(udp.address, "c"), *average).status == 201
        assert make_collector(occi, "c", "s", "web", *cpu(), attribute("occi.collector.period", 1)).status == 201
        udp.value()
        (seen,) = until(lambda: server.call("GET", API + FLOW + "none,s")["sensors"], what="the sensor's flow")
        assert seen["id"] == "s" and seen["state"] == "active" and seen["values"] >= 1 and seen["problems"] == {}
        (one,) = seen["collected"]
        assert (one["collector"], one["metric"], one["stream"]) == ("c", "CPUPercent", "a") and 0 <= one["value"] <= 100
        assert list(seen["given"]) == ["c"] and 0 <= seen["given"]["c"]["value"] <= 100
        assert occi("POST", "/occi/sensor/s?action=stop").status == 200
        assert server.call("GET", API + FLOW + "s")["sensors"] == []
        token = Server.cli("token", "create", "--data", server.data, "--tenant", "other", "--ttl", "1h").strip()
        assert occi("POST", "/occi/sensor/s?action=start").status == 200
        until(lambda: server.call("GET", API + FLOW + "s")["sensors"], what="the sensor's flow after its start")
        assert server.call("GET", API + FLOW + "s", token=token)["sensors"] == [], "another tenant's"


def test_the_flow_of_sensors_is_asked_by_a_bounded_list(server):
    for ids, words in (("", "names none"), ("a,,b", "0 bytes"), ("x" * 65, "65 bytes"), (",".join(["s"] * 51), "too many")):
        with pytest.raises(HttpError) as refused:
            server.call("GET", API + FLOW + ids)
        assert refused.value.status == 400 and words in str(refused.value.body), ids
