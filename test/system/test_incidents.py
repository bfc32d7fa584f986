"""Incidents: what belongs together of alerts, by labels and by what depends on what."""

import json
import socket

import pytest

from atalaya import HttpError, Server, until
from sinks import about


def hook(webhook, rest=""):
    return ("package: test\nversion: 1.0.0\nchannels:\n  ops:\n"
            f"    hook: {{webhook: {{url: '{webhook.url}'}}}}\n" + rest)


def post(server, *alerts):
    return server.call("POST", "/api/v2/alerts", [{"labels": labels, **more} for labels, more in alerts])


def shop(name, **more):
    return {"alertname": name, "service": "shop", **more}


def active(server, **parameters):
    return server.get("/incidents", **parameters)["incidents"]


def test_alerts_of_a_service_are_one_incident_that_people_handle(data, webhook):
    with Server(data, packages={"test": hook(webhook)}) as server:
        post(server, (shop("slow", instance="web1", severity="warning"), {}))
        post(server, (shop("errors", instance="web2", severity="critical"), {"annotations": {"summary": "500s"}}))
        post(server, ({"alertname": "disk", "instance": "db1", "severity": "warning"}, {}))
        told = webhook.wait_for(about("errors"))[0]["body"]["alerts"][0]
        assert told["atalaya"]["incident"] == "1"
        first, second = active(server)[1], active(server)[0]
        assert (first["id"], first["title"], first["state"], first["severity"]) == ("1", "slow: shop", "open", "critical")
        assert first["labels"] == {"service": "shop"} and first["trend"] == "more_severe"
        assert first["counts"] == {"open": 2, "critical": 1, "warning": 1, "no_data": 0, "unknown": 0, "total": 2}
        assert second["labels"] == {"instance": "db1"}
        assert [i["id"] for i in active(server, severity="critical")] == ["1"]
        assert [i["id"] for i in active(server, text="db1")] == ["2"] == [i["id"] for i in active(server, text="#2")]
        page = server.get("/incidents", limit=1)
        assert [i["id"] for i in active(server, limit=1, before=page["next"])] == ["1"]
        assert server.alert("slow")["incident"] == "1"

        taken = server.post("/incidents/1/ack", {"note": "on it", "for": "1h"})
        assert taken["state"] == "acknowledged" and taken["ack"]["note"] == "on it"
        assert server.get("/incidents")["counts"] == {"open": 1, "acknowledged": 1}
        assert server.alert("slow")["incident_acknowledged"] and "incident_acknowledged" not in server.alert("disk")
        assert server.post("/incidents/1/assign", {"owner": "ana"})["owner"] == "ana"
        assert [i["id"] for i in active(server, owner="ana")] == ["1"] and \
            [i["id"] for i in active(server, owner="-")] == ["2"]
        server.post("/incidents/1/notes", {"text": "the new release"})
        server.kill()
        server.start()
        details = server.get("/incidents/1")
        assert {a["name"] for a in details["alerts"]} == {"slow", "errors"}
        assert {a["joined_by"] for a in details["alerts"]} == {"first", "group"}
        kinds = [e["kind"] for e in details["timeline"]]
        assert kinds[0] == "opened" and {"joined", "alert", "severity", "acknowledged", "assigned", "note"} <= set(kinds)
        until(lambda: [e for e in server.get("/incidents/1")["timeline"] if e["kind"] == "notification"], what="news")
        closed = server.post("/incidents/1/close", {"note": "rolled back"})
        assert closed["state"] == "closed" and closed["closed_by"]["note"] == "rolled back"
        assert server.alert("slow")["status"] == "closed"
        assert active(server, state="closed")[0]["id"] == "1"
        for path, body, status in (("/incidents/1/ack", {}, 409), ("/incidents/9/ack", {}, 404), ("/incidents/x", None, 404),
                                   ("/incidents/2/notes", {}, 400), ("/incidents/2/assign", {}, 400)):
            with pytest.raises(HttpError) as refused:
                server.post(path, body) if body is not None else server.get(path)
            assert refused.value.status == status, path


def test_incidents_are_merged_by_hand(data):
    with Server(data) as server:
        post(server, *(({"alertname": name, "instance": host}, {}) for name, host in (("disk", "a"), ("cpu", "b"))))
        merged = server.post("/incidents/2/merge", {"into": "#1", "note": "one switch"})
        assert (merged["state"], merged["merged_into"]) == ("closed", "1")
        assert {a["joined_by"] for a in server.get("/incidents/1")["alerts"]} == {"first", "person"}
        server.kill()
        server.start()
        post(server, ({"alertname": "fan", "instance": "b"}, {}))
        assert {a["incident"] for a in server.alerts()} == {"1"} and server.get("/incidents/1")["counts"]["open"] == 3
        told = next(e for e in server.get("/incidents/1")["timeline"] if e["kind"] == "merged")
        assert told["by"] == "command line" and "one switch" in told["text"]
        for body, status in (({"into": "2"}, 409), ({"into": "1"}, 400), ({"into": "x"}, 400), ({}, 400), ({"into": "9"}, 404)):
            with pytest.raises(HttpError) as refused:
                server.post("/incidents/1/merge", body)
            assert refused.value.status == status, body


CHECKS = """rules:
  test:
    away: {{binary: {{expr: 'check_up{{type="tcp"}}'}}, no_data: never}}
collectors:
  test:
    gate: {{tcp: {{address: '127.0.0.1:{port}'}}, period: 1s, on: '*'}}
"""
CHILD = "    shop{n}: {{tcp: {{address: '127.0.0.1:9'}}, period: 1s, on: '*', depends_on: test/test/gate}}\n"


def test_what_depends_on_what_is_down_is_unknown_and_one_page_tells_it(data, webhook):
    door = socket.socket()
    door.bind(("127.0.0.1", 0))  # nobody listens there yet
    rest = CHECKS.format(port=door.getsockname()[1]) + "".join(CHILD.format(n=n) for n in range(8))
    with door, Server(data, command="up", packages={"test": hook(webhook, rest)}) as server:
        def away():
            return [a for a in server.alerts() if a["name"] == "away" and a["state"] == "firing"]

        def unknown():
            return [a for a in away() if "unknown_because" in a]

        def told():
            return {r["body"]["alerts"][0]["labels"]["check"] for r in webhook.requests if about("away", "firing")(r)}
        until(lambda: len(unknown()) == 8, what="eight unknown alerts")
        parent = next(a for a in away() if "unknown_because" not in a)
        assert parent["labels"]["check"] == "gate"
        assert {a["unknown_because"]["alert"] for a in unknown()} == {parent["id"]}
        assert {a["status"] for a in unknown()} == {"suppressed"}
        assert {a["incident"] for a in away()} == {parent["incident"]}
        incident = server.get(f"/incidents/{parent['incident']}")
        assert incident["counts"]["unknown"] == 8 and incident["cause"]["alert"] == parent["id"]
        inhibited = [a for a in server.call("GET", "/api/v2/alerts") if a["status"]["inhibitedBy"]]
        assert len(inhibited) == 8
        webhook.wait_for(about("away", "firing"))
        server.cycle()
        assert told() == {"gate"}
        door.listen()
        until(lambda: told() == {"gate", *(f"shop{n}" for n in range(8))}, what="pages of those that are down still")
        assert not unknown() and server.get(f"/incidents/{parent['incident']}")["state"] == "open"


def test_incidents_on_the_command_line(data):
    with Server(data) as server:
        post(server, (shop("slow"), {}))

        def atalaya(*arguments):
            return server.cli(*arguments, "--data", server.data)
        assert "slow: shop" in atalaya("incident", "list") and "No incidents" in atalaya("incident", "list", "--owner", "bob")
        assert "acknowledged" in atalaya("incident", "ack", "1", "--note", "on it", "--for", "1h", "--owner", "ana")
        assert "bob" in atalaya("incident", "assign", "#1", "bob")
        atalaya("incident", "note", "1", "remember this")
        post(server, ({"alertname": "disk", "instance": "db1"}, {}))
        assert "closed" in atalaya("incident", "merge", "2", "1", "--note", "the same disk")
        assert "closed" in atalaya("incident", "close", "1")
        shown = atalaya("incident", "show", "1")
        assert "remember this" in shown and "bob" in shown and "closed" in shown
        listed = json.loads(atalaya("incident", "list", "--state", "all", "-o", "json"))["incidents"]
        assert [i["id"] for i in listed] == ["2", "1"]
