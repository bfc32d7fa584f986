"""Passive results of Nagios' checks: NRDP as its client posts it, and lines of external commands."""

import json
import urllib.parse
import xml.etree.ElementTree as xml

import pytest

from atalaya import HttpError

XML = """<?xml version='1.0'?>
<checkresults>
  <!-- as send_nrdp.py writes them -->
  <checkresult type='service' checktype='1'>
    <hostname>web1</hostname><servicename>disk /</servicename><state>2</state>
    <output>DISK CRITICAL - 97% &amp; rising | /=9700MB;8000;9000;0;10000 'in ode'=12%</output>
  </checkresult>
  <checkresult type="host" checktype="1"><hostname>web1</hostname><state>0</state><output><![CDATA[PING <OK>]]></output></checkresult>
</checkresults>"""


def nrdp(server, token="", **form):
    tokens = {} if token is None else {"token": token or server.token}
    body = urllib.parse.urlencode({**tokens, **form}).encode()
    answer = server.call("POST", "/nrdp/", body, token=None, raw=True,
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
    if answer.startswith(b"{"):
        return json.loads(answer)["result"]
    return {child.tag: child.text for child in xml.fromstring(answer).iter()}


def command(server, *lines):
    return server.call("POST", "/nagios/cmd", "\n".join(lines).encode(), headers={"Content-Type": "text/plain"})


def about(server, name):
    alert = server.alert(name)
    return alert and (alert["state"], alert["severity"], alert["severity_word"], alert["text"])


def test_results_in_xml_become_alerts_and_series(server):
    answer = nrdp(server, cmd="submitcheck", XMLDATA=XML)
    assert (answer["status"], answer["message"], answer["output"]) == ("0", "OK", "2 checks processed.")
    assert about(server, "disk /") == ("firing", "critical", "critical", "DISK CRITICAL - 97% & rising")
    assert server.alert("disk /")["labels"]["instance"] == "web1"
    assert server.query('nagios_performance_value{label="/"}') == [
        ({"__name__": "nagios_performance_value", "instance": "web1", "service": "disk /", "label": "/", "unit": "bytes"},
         9700 * 1048576.0)]
    assert server.query('nagios_performance_value{label="in ode",unit="percent"}')[0][1] == 12
    assert server.query("nagios_service_state")[0][1] == 2 and server.query("nagios_host_state")[0][1] == 0


def test_results_in_json_go_through_all_states_and_ok_resolves(server):
    def send(state, **more):
        return nrdp(server, cmd="submitcheck", JSONDATA=json.dumps({"checkresults": [
            {"checkresult": {"type": "service", "checktype": "1"}, "hostname": "db1", "servicename": "load",
             "state": state, "output": f"state {state}", **more}]}))
    for state, seen in [("1", ("warning", "warning")), (3, ("warning", "unknown")), ("2", ("critical", "critical"))]:
        assert send(state) == {"status": 0, "message": "OK", "meta": {"output": "1 checks processed."}}
        assert about(server, "load") == ("firing", *seen, f"state {state}")
    send("2")
    assert server.alert("load")["count"] == 4
    send("0")
    assert server.alert("load")["state"] == "resolved"


def test_command_lines_of_services_and_hosts(server):
    assert command(server, "[1700000000] PROCESS_SERVICE_CHECK_RESULT;web1;http;1;slow; 3 s\\nmore of it",
                   "PROCESS_HOST_CHECK_RESULT;web2;1;DOWN | rta=3000.5ms") == {"results": 2}
    assert about(server, "http") == ("firing", "warning", "warning", "slow; 3 s\nmore of it")
    assert about(server, "Host")[:2] == ("firing", "critical")
    assert server.query('nagios_performance_value{instance="web2",unit="seconds"}')[0][1] == 3.0005
    nrdp(server, cmd="submitcmd", command="PROCESS_HOST_CHECK_RESULT;web2;0;UP")
    assert server.alert("Host")["state"] == "resolved"


def test_alertas_clients_see_them_too(server):
    command(server, "PROCESS_SERVICE_CHECK_RESULT;web1;http;2;gone")
    seen = server.call("GET", "/alerta/alerts?group=Nagios")["alerts"][0]
    assert (seen["resource"], seen["event"], seen["severity"], seen["value"]) == ("web1", "http", "critical", "CRITICAL")


@pytest.mark.parametrize("token, form, message", [
    (None, {"cmd": "submitcheck", "XMLDATA": XML}, "NO TOKEN"), ("x.y.z", {"cmd": "submitcheck", "XMLDATA": XML}, "BAD TOKEN"),
    ("", {"cmd": "nothing"}, "NO REQUEST HANDLER"), ("", {"cmd": "submitcheck"}, "NO DATA"),
    ("", {"cmd": "submitcheck", "XMLDATA": "<checkresults><checkresult>"}, "within"),
    ("", {"cmd": "submitcheck", "XMLDATA": "<!DOCTYPE x [<!ENTITY a 'b'>]><checkresults/>"}, "document types"),
    ("", {"cmd": "submitcheck", "JSONDATA": "{"}, "no JSON"),
    ("", {"cmd": "submitcheck", "XMLDATA": XML.replace("<state>2", "<state>7")}, "checkresults[0]: '7' is no state")])
def test_what_is_wrong_is_said_in_nrdps_way(server, token, form, message):
    answer = nrdp(server, token, **form)
    assert str(answer["status"]) == "-1" and message in answer["message"]
    assert server.alert("disk /") is None


def test_a_command_that_is_none_is_named_and_the_others_are_taken(server):
    with pytest.raises(HttpError) as raised:
        command(server, "PROCESS_SERVICE_CHECK_RESULT;web1;http;2;gone", "SHUTDOWN_PROGRAM", "PROCESS_HOST_CHECK_RESULT;;1;x")
    assert raised.value.status == 400
    assert "line 2: the command 'SHUTDOWN_PROGRAM'" in raised.value.body["error"] and "line 3" in raised.value.body["error"]
    assert server.alert("http")["state"] == "firing"


def test_a_token_that_only_reads_may_not_send(server):
    reader = server.cli("token", "create", "--data", str(server.data), "--role", "viewer", "--ttl", "1h").strip()
    assert nrdp(server, reader, cmd="submitcheck", XMLDATA=XML)["message"] == "BAD TOKEN"
    writer = server.cli("token", "create", "--data", str(server.data), "--role", "ingest", "--ttl", "1h").strip()
    assert nrdp(server, writer, cmd="submitcheck", XMLDATA=XML)["message"] == "OK"
