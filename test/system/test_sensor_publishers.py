"""What sensors hand to this server's own publishers, and what packages may not say of sensors."""

import email
import email.policy

import pytest

from atalaya import Agent, Server, until
from occi import Client, attribute
from sensors import METRIC, OWN, PUBLISHER, aggregates, becomes, cpu, make_collector, make_compute, make_sensor, publishes
from smtp import MailSink

EVERY_SECOND = attribute("occi.collector.period", 1)
MAIL = """package: mail
version: 1.0.0
channels:
  ops:
    mail: {{email: {{smtp: 'smtp://127.0.0.1:{port}', from: atalaya@example.org, to: ana@example.org, starttls: never}}}}
"""


@pytest.fixture
def agent(server, tmp_path):
    with Agent(tmp_path / "agent", server, name="web-1") as running:
        until(lambda: server.query('node_load1{instance="web-1"}'), what="the agent's first samples")
        make_compute(Client(server), "web", "web-1")
        yield running


def measures(occi, ident, *lines):
    made = make_sensor(occi, ident, *lines)
    assert made.status == 201, made.text
    made = make_collector(occi, ident + "-cpu", ident, "web", *cpu(), EVERY_SECOND)
    assert made.status == 201, made.text


def alarm(raise_at, clear_at):
    return aggregates("Threshold", "a", "hot", **{"raise": raise_at, "clear": clear_at})


def test_values_are_stored_under_the_metric_that_is_asked_for(server, agent):
    occi = Client(server)
    measures(occi, "s", *publishes("Store", "a", metric="cpu_here"))
    labels, value = until(lambda: server.query("cpu_here"), what="what was stored")[0]
    assert labels["instance"] == "web-1" and labels["sensor"] == "s" and labels["metric"] == "CPUPercent"
    assert 0 <= value <= 100


def test_an_alarm_is_an_alert_until_it_ends(server, agent):
    occi = Client(server)
    measures(occi, "s", *alarm(0, -1), *publishes("Alert", "hot", alertname="Hot", severity="critical"))
    fired = until(lambda: server.alert("Hot"), what="the alert")
    assert fired["severity"] == "critical" and fired["labels"]["sensor"] == "s"
    # Now nothing reaches the threshold: a new pipe begins with what is not so.
    made = make_sensor(occi, "s", *aggregates("Threshold", "a", "hot", **{"raise": 1000, "clear": 900, "repeat": True}),
                       *publishes("Alert", "hot", alertname="Hot", severity="critical"))
    assert made.status in (200, 201), made.text
    until(lambda: server.alert("Hot")["state"] == "resolved", what="the alert's end")


def test_an_alarm_is_a_mail_through_the_tenants_channel(data, tmp_path):
    with MailSink() as sink, Server(data, packages={"mail": MAIL.format(port=sink.port)}) as server:
        occi = Client(server)
        make_compute(occi, "web", "web-1")
        with Agent(tmp_path / "agent", server, name="web-1"):
            measures(occi, "s", *alarm(0, -1), *publishes("EmailOnAlarm", "hot", to="bo@example.org, cy@example.org"))
            mail = sink.wait_for(lambda mail: b"hot of sensor s" in mail["content"])[0]
            assert mail["to"] == ["bo@example.org", "cy@example.org"]
            message = email.message_from_bytes(mail["content"], policy=email.policy.default)
            assert message["Subject"] == "[alarm] hot of sensor s" and "ALARM" in message.get_content()
            measures(occi, "t", *alarm(0, -1), *publishes("EmailOnAlarm", "hot"))
            mail = sink.wait_for(lambda mail: b"hot of sensor t" in mail["content"])[0]
            assert mail["to"] == ["ana@example.org"]
            sent = [n for n in server.get("/notifications")["notifications"] if n["type"] == "email"]
            assert {n["channel"] for n in sent} == {"mail/ops/mail"} and len(sent) == 2, sent


def test_a_mail_without_a_channel_is_the_sensors_error(server, agent):
    occi = Client(server)
    measures(occi, "s", *alarm(0, -1), *publishes("EmailOnAlarm", "hot"))
    becomes(occi, "sensor", "s", "error", "0 channels of type email")


PACKAGE = f"""package: site
version: 1.0.0
computes:
  a:
    web: {{hostname: web-1}}
sensors:
  a:
    s:
      mixins: ["{PUBLISHER}SendUDP"]
      attributes: {{{OWN}SendUDP.input: a, {OWN}SendUDP.udpAddr: "127.0.0.1:9"}}
collectors:
  a:
    c:
      source: a/s
      target: a/web
      mixins: ["{METRIC}CPUPercent"]
      attributes: {{{OWN}CPUPercent.out: a}}
"""


@pytest.mark.parametrize("old, new, line, words", [
    ("CPUPercent.out: a", "CPUPercent.out: b", 13, 'nothing of the sensor site/a/s reads the stream "b"'),
    ("metric#CPUPercent", "metric#CPUPercnt", 13, "there is no mixin http://example.com/occi/monitoring/metric#CPUPercnt"),
    ("CPUPercent.out: a", "CPUPercent.from: a", 13, "belongs to none of its mixins"),
    ("CPUPercent.out: a", "CPUPercent.out: a b", 13, "CPUPercent.out"),
    (f"{OWN}SendUDP.input: a, ", "", 8, "SendUDP.input is missing"),
    ("publisher#SendUDP", "metric#CPUPercent", 8, "does not apply to"),
])
def test_packages_name_file_and_line_of_what_is_wrong_with_a_sensor(tmp_path, old, new, line, words):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "package.yaml").write_text(PACKAGE)
    assert Server.cli("check", folder, check=False).returncode == 0
    assert old in PACKAGE
    (folder / "package.yaml").write_text(PACKAGE.replace(old, new))
    done = Server.cli("check", folder, check=False)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr, done.stdout + done.stderr
    assert f"package.yaml:{line}" in done.stdout + done.stderr, done.stdout + done.stderr
