"""What judging must not lose or keep: removed checks and hosts, equal names, restarts of the server."""

import time

from atalaya import Agent, Server, until

DOWN = """package: {name}
version: 1.0.0
rules:
  test:
    away:
      binary: {{expr: 'check_up{{type="tcp"}}', failures: 1}}
      no_data: never
      labels: {{package: '{label}'}}
"""
CHECK = """collectors:
  test:
    nobody: {tcp: {address: '127.0.0.1:9'}, period: 1s, on: '*'}
"""


def watching(data, **packages):
    return Server(data, command="up", packages=packages)


def test_the_alert_of_a_check_closes_with_its_removal_and_stays_closed(data):
    with watching(data, test=DOWN.format(name="test", label="a")) as server:
        host = until(lambda: [h for h in server.get("/hosts")["hosts"] if h["state"] == "up"], what="the agent")[0]
        check = server.post("/checks", {"type": "tcp", "target": "127.0.0.1:9", "on": host["name"], "period": "1s"})
        until(lambda: (server.alert("away") or {}).get("state") == "firing", what="the alert")
        server.delete(f"/checks/{check['id']}")
        until(lambda: server.alert("away")["state"] == "resolved", timeout=10, what="the alert's end")
        text = 'check_up{type="tcp"}'
        until(lambda: not server.query(text), what="the end of the check's series")
        server.cycle()
        assert server.alert("away")["state"] == "resolved"
        server.stop()
        server.start()
        server.cycle()
        assert server.alert("away")["state"] == "resolved"


def test_the_alert_of_a_check_that_leaves_the_file_closes(data):
    with watching(data, test=DOWN.format(name="test", label="a") + CHECK) as server:
        until(lambda: (server.alert("away") or {}).get("state") == "firing", what="the alert")
        server.write_package("test", DOWN.format(name="test", label="a"))
        until(lambda: server.alert("away")["state"] == "resolved", timeout=10, what="the alert's end")


def test_the_alert_of_a_check_that_left_the_file_while_the_server_was_away_closes(data):
    with watching(data, test=DOWN.format(name="test", label="a") + CHECK) as server:
        until(lambda: (server.alert("away") or {}).get("state") == "firing", what="the alert")
        server.stop()
        server.write_package("test", DOWN.format(name="test", label="a"))
        server.start()
        until(lambda: server.alert("away")["state"] == "resolved", timeout=10, what="the alert's end")


def test_rules_of_equal_name_in_two_packages_have_alerts_of_their_own(data):
    packages = {"one": DOWN.format(name="one", label="same") + CHECK, "two": DOWN.format(name="two", label="same")}
    with watching(data, **packages) as server:
        def firing():
            return {a["rule"] for a in server.alerts() if a["name"] == "away" and a["state"] == "firing"}
        until(lambda: firing() == {"one/test/away", "two/test/away"}, what="two alerts")
        server.write_package("two", "package: two\nversion: 1.0.1\n")
        until(lambda: firing() == {"one/test/away"}, what="the end of the one whose rule is gone")


def test_a_removed_host_stays_away_after_a_restart(data, tmp_path):
    rules = ("package: test\nversion: 1.0.0\nrules:\n  test:\n    gone:\n"
             "      binary: {expr: 'up{job=\"node\"}'}\n      no_data: 2s\n")
    with Server(data, packages={"test": rules}) as server:
        with Agent(tmp_path / "agent", server, name="leaving"):
            until(lambda: server.query('up{job="node",instance="leaving"}'), what="samples")
            host = next(h for h in server.get("/hosts")["hosts"] if h["name"] == "leaving")
            server.delete(f"/hosts/{host['id']}")
            assert not server.query('{instance="leaving"}')
        server.stop()
        server.start()
        began = time.time()
        until(lambda: time.time() - began > 4, what="longer than the rule's no_data")
        server.cycle()
        assert not [a for a in server.alerts() if a["labels"].get("instance") == "leaving" and a["state"] != "resolved"]


def test_lines_of_before_a_restart_count(data, tmp_path):
    path = tmp_path / "app.log"
    path.write_text("started\n")
    rules = ("package: test\nversion: 1.0.0\nrules:\n  test:\n    errors:\n"
             "      tailable: {match: '{file=\"%s\"}', pattern: 'ERROR', count: 3, within: 5m}\n"
             "collectors:\n  test:\n    app: {log: {path: '%s'}, on: '*'}\n" % (path, path))

    def say(server, text):
        with open(path, "a") as log:
            log.write(text + "\n")
        until(lambda: server.get("/logs", match='{file="%s"}' % path, text=text)["logs"], what="the line")

    with watching(data, test=rules) as server:
        until(lambda: [h for h in server.get("/hosts")["hosts"] if h["state"] == "up"], what="the agent")

        def tailed():
            with open(path, "a") as log:
                log.write("tick\n")
            return server.get("/logs", match='{file="%s"}' % path)["logs"]
        until(tailed, what="the file is followed")
        say(server, "ERROR one")
        say(server, "ERROR two")
        server.cycle()
        assert server.alert("errors") is None
        server.kill()
        server.start()
        say(server, "ERROR three")
        until(lambda: (server.alert("errors") or {}).get("state") == "firing", what="the alert of the third line")
