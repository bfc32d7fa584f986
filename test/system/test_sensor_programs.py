"""Metrics that programs of packages measure: the mixin Script, and mixins that users define."""

import os

import pytest

from atalaya import Agent, Server, until
from occi import Client, attribute, refused
from sensors import (METRIC, MONITORING, Udp, becomes, make_collector, make_compute, make_sensor, mixin, own, sends)

EVERY_SECOND = attribute("occi.collector.period", 1)
ACME = "http://acme.example/metrics#"
QUEUE = "#!/bin/sh\necho 'value 42'\necho 'other{queue=\"a\"} 7'\n"


@pytest.fixture
def agent(server, tmp_path):
    with Agent(tmp_path / "agent", server, name="web-1") as running:
        until(lambda: server.query('node_load1{instance="web-1"}'), what="the agent's first samples")
        yield running


def write_program(server, name, text, package="tools"):
    folder = server.data / "packages" / "default" / package
    (folder / "scripts").mkdir(parents=True, exist_ok=True)
    (folder / "scripts" / name).write_text(text)
    (folder / "package.yaml").write_text(f"package: {package}\nversion: 1.0.0\n")
    until(lambda: any(one["name"] == package for one in server.get("/packages")["packages"]), what=f"the package {package}")


def define(occi, term, scheme=ACME):
    return occi.text("POST", "/-/", f'Category: {term}; scheme="{scheme}"; class="mixin"; title="How long the queue is"; '
                                    f'rel="{MONITORING}metric"; location="/mixin/{term}/"')


def script(program, **attributes):
    return [mixin("Script", METRIC), own("Script.out", "a"), own("Script.program", program), EVERY_SECOND,
            *[own(f"Script.{name}", value) for name, value in attributes.items()]]


def operator(server):
    return Client(server, Server.cli("token", "create", "--data", server.data, "--role", "operator", "--ttl", "1h").strip())


def test_a_program_of_a_package_is_a_metric(server, agent):
    occi = Client(server)
    write_program(server, "queue.sh", QUEUE)
    make_compute(occi, "web", "web-1")
    with Udp() as udp:
        assert make_sensor(occi, "s", *sends(udp.address)).status == 201
        made = make_collector(occi, "c", "s", "web", *script("tools/scripts/queue.sh"))
        assert made.status == 201, made.text
        assert udp.value() == 42
        made = make_collector(occi, "c", "s", "web", *script("tools/scripts/queue.sh", series="other"))
        assert made.status in (200, 201), made.text
        until(lambda: udp.next().strip() == "Data: 7", what="the other series")
        # A program that is written anew runs anew.
        write_program(server, "queue.sh", QUEUE.replace("7", "8"))
        until(lambda: udp.next().strip() == "Data: 8", what="the new program's value")
        write_program(server, "queue.sh", "#!/bin/sh\necho no disk >&2\nexit 3\n")
        becomes(occi, "collector", "c", "error", "no disk")
        write_program(server, "queue.sh", "#!/bin/sh\nwhile :; do :; done\n")
        becomes(occi, "collector", "c", "error", "did not end within 5s")


def test_a_users_mixin_is_bound_to_the_program_of_its_name(server, agent):
    occi = Client(server)
    write_program(server, "queue.sh", QUEUE)
    make_compute(occi, "web", "web-1")
    refused(define(occi, "stack"), 400, "scripts/stack")
    made = define(occi, "queue")
    assert made.status == 200, made.text
    shown = occi("GET", "/-/").text
    assert "com.example.occi.monitoring.queue.out" in shown
    held = (server.data / "packages" / "default" / "ondemand" / "mixins-queue.yaml").read_text()
    assert "program: tools/scripts/queue.sh" in held
    lines = [mixin("queue", ACME), own("queue.out", "a"), EVERY_SECOND]
    with Udp() as udp:
        assert make_sensor(occi, "s", *sends(udp.address)).status == 201
        refused(make_collector(occi, "c", "s", "web", mixin("queue", ACME)), 400, "com.example.occi.monitoring.queue.out")
        # Whoever operates uses what an administrator has bound.
        made = make_collector(operator(server), "c", "s", "web", *lines)
        assert made.status == 201, made.text
        assert udp.value() == 42
        os.unlink(server.data / "packages" / "default" / "tools" / "scripts" / "queue.sh")
        becomes(occi, "collector", "c", "error", "there is no program tools/scripts/queue.sh")


def test_only_administrators_choose_programs(server):
    occi, other = Client(server), operator(server)
    write_program(server, "queue.sh", QUEUE)
    make_compute(occi, "web", "web-1")
    assert make_sensor(occi, "s", *sends("127.0.0.1:9")).status == 201
    refused(make_collector(other, "c", "s", "web", *script("tools/scripts/queue.sh")), 403, "administrators")
    refused(define(other, "queue"), 403, "administrators")
    assert make_collector(occi, "c", "s", "web", *script("tools/scripts/queue.sh")).status == 201
    # What does not change the program is theirs to change.
    changed = other.text("POST", "/occi/collector/c", attribute("occi.collector.period", 5))
    assert changed.status == 200, changed.text
    write_program(server, "other.sh", QUEUE)
    changed = other.text("POST", "/occi/collector/c", own("Script.program", "tools/scripts/other.sh"))
    refused(changed, 403, "administrators")


def test_what_is_no_program_is_refused(server):
    occi = Client(server)
    make_compute(occi, "web", "web-1")
    write_program(server, "queue.sh", QUEUE)
    assert make_sensor(occi, "s", *sends("127.0.0.1:9")).status == 201
    for program in ("tools/scripts/none.sh", "none/scripts/queue.sh"):
        refused(make_collector(occi, "c", "s", "web", *script(program)), 400, f"there is no program {program}")
    for program in ("tools/package.yaml", "../scripts/x", "/etc/passwd", "tools/scripts/../package.yaml"):
        assert make_collector(occi, "c", "s", "web", *script(program)).status == 400
    write_program(server, "queue.py", "#!/usr/bin/python3\n", package="more")
    refused(define(occi, "queue"), 400, "tools/scripts/queue.sh", "more/scripts/queue.py")
