"""Bad input and a bad world: one clear sentence, nothing changed."""

import http.client
import os
import socket
import subprocess
import time

import pytest

from atalaya import API, Agent, HttpError, Server, binary, until
from sinks import about

RULE = "package: test\nversion: 1.0.0\nrules:\n  a:\n    b:\n      gauge: {expr: 'node_load1', above: {warning: 1e9}}\n"


def start_fails(*arguments, **environment):
    done = subprocess.run([binary("atalaya"), "server", *map(str, arguments)], capture_output=True, text=True,
                          timeout=30, env={**os.environ, **environment})
    lines = [line for line in done.stderr.splitlines() if line.startswith("atalaya: ")]
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_port_in_use_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in start_fails("--data", tmp_path / "d", "--listen", f"127.0.0.1:{port}")


def test_unwritable_data_folder_is_one_sentence(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    assert str(blocker) in start_fails("--data", blocker / "data", "--listen", "127.0.0.1:0")


def test_full_data_folder_is_one_sentence(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        (folder / "filler").write_bytes(b"x" * 8192)
        assert str(folder) in start_fails("--data", folder, "--listen", "127.0.0.1:0")
    finally:
        subprocess.run(["umount", folder], check=True)


def test_two_servers_do_not_share_a_data_folder(server):
    assert "in use" in start_fails("--data", server.data, "--listen", "127.0.0.1:0")


def test_switching_authentication_off_is_refused_beyond_loopback(tmp_path):
    said = start_fails("--data", tmp_path / "d", "--listen", "0.0.0.0:0", "--insecure-no-auth", "--insecure-http")
    assert "--insecure-no-auth" in said


def test_plain_http_is_refused_beyond_loopback(tmp_path):
    assert "0.0.0.0" in start_fails("--data", tmp_path / "d", "--listen", "0.0.0.0:0")


def test_usage_errors_exit_with_two():
    done = subprocess.run([binary("atalaya"), "server", "--lisen", "x"], capture_output=True, text=True)
    assert done.returncode == 2 and "--listen" in done.stderr, done.stderr


@pytest.mark.parametrize("text,line,words", [
    ("package: test\nversion: 1.0.0\nrules: [\n", 4, ""),
    (RULE + "      fro: 5m\n", 7, "for"),
    (RULE + "      for: tomorrow\n", 7, "duration"),
    (RULE.replace("warning: 1e9", "warning: high"), 6, "number"),
    (RULE.replace("node_load1", "node_load1{"), 6, ""),
    (RULE + "    c:\n      tailable: {match: '{file=\"x\"}', pattern: '('}\n", 8, "("),
    (RULE + "    b:\n      binary: {expr: up}\n", 7, "b"),
])
def test_broken_packages_name_the_place_and_the_running_one_stays(data, text, line, words):
    with Server(data, packages={"test": RULE}) as server:
        before = server.get("/rules")["rules"]
        server.write_package("test", text)
        with pytest.raises(HttpError) as refused:
            server.call("POST", "/-/reload")
        assert refused.value.status == 400 or refused.value.status == 422
        place = refused.value.body["place"]
        assert place["file"].endswith("test/package.yaml")
        assert place["line"] == line, refused.value.body
        assert place["column"] >= 1
        assert words in str(refused.value.body)
        after = server.get("/rules")["rules"]
        assert [(r["id"], r["expr"]) for r in before] == [(r["id"], r["expr"]) for r in after]
        server.kill()
        server.start()
        assert [r["id"] for r in server.get("/rules")["rules"]] == [r["id"] for r in before], \
            "the last good version runs after a restart too"


def test_hand_edits_are_noticed(data):
    with Server(data, packages={"test": RULE}) as server:
        server.write_package("test", RULE.replace("1e9", "2e9") + "    c:\n      binary: {expr: up}\n")
        until(lambda: "test/a/c" in [r["id"] for r in server.get("/rules")["rules"]], what="the new rule")


def refused(server, method, path, body=None, **options):
    with pytest.raises(HttpError) as error:
        server.call(method, path, body, **options)
    assert isinstance(error.value.body, dict) and error.value.body["error"], error.value.body
    return error.value.status


def test_bad_requests_get_json_errors(server):
    assert refused(server, "POST", f"{API}/users", b"{not json") == 400
    assert refused(server, "POST", f"{API}/users", b"[" * 100_000) == 400
    assert refused(server, "POST", f"{API}/users", {"name": "x", "role": "viewer", "colour": "blue"}) == 400
    assert refused(server, "POST", f"{API}/users", b"x" * (2 << 20)) == 413
    assert refused(server, "GET", f"{API}/nowhere") == 404
    assert refused(server, "DELETE", f"{API}/alerts") == 405
    assert refused(server, "GET", "/api/v1/query?query=sum(") == 400
    assert refused(server, "GET", "/api/v1/query?query=label_replace(vector(1),%22a%22,%22b%22,%22c%22,%22(%22)") == 422
    assert refused(server, "GET", "/api/v1/query_range?query=up&start=1&end=2&step=0") == 400
    assert refused(server, "GET", f"{API}/logs?regex=(") == 400
    assert len(server.get("/users")["users"]) == 1, "nothing was changed"


def test_bad_credentials_are_refused(server, tmp_path):
    expired = server.cli("token", "create", "--data", server.data, "--role", "viewer", "--ttl", "1s").strip()
    head, body, signature = server.token.split(".")
    flipped = "A" if signature[10] != "A" else "B"
    assert refused(server, "GET", f"{API}/hosts", token=None) == 401
    assert refused(server, "GET", f"{API}/hosts", token=f"{head}.{body}.{signature[:10]}{flipped}{signature[11:]}") == 401
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    assert refused(server, "GET", f"{API}/hosts", token=f"{none}.{body}.") == 401
    assert refused(server, "GET", f"{API}/hosts", headers={"X-Scope-OrgID": "other"}) == 403
    viewer = server.cli("token", "create", "--data", server.data, "--role", "viewer", "--ttl", "1h").strip()
    assert refused(server, "GET", f"{API}/users", token=viewer) == 403
    foreign = server.cli("token", "create", "--data", server.data, "--tenant", "other", "--role", "admin", "--ttl", "1h").strip()
    assert server.call("GET", f"{API}/hosts", token=foreign)["hosts"] == []
    with Server(tmp_path / "second") as second:
        assert refused(second, "GET", f"{API}/hosts", token=server.token) == 401

    def is_refused():
        try:
            server.call("GET", f"{API}/hosts", token=expired)
        except HttpError as error:
            return error.status == 401
    until(is_refused, timeout=60, what="the short token has expired (with its leeway)")


def test_all_carriers_of_a_token_work(server):
    import base64
    basic = base64.b64encode(f"anybody:{server.token}".encode()).decode()
    for headers in ({"Authorization": f"Basic {basic}"}, {"Authorization": f"Key {server.token}"},
                    {"Authorization": f"Token {server.token}"}, {"X-API-Key": server.token}):
        assert "hosts" in server.call("GET", f"{API}/hosts", token=None, headers=headers)
    assert "hosts" in server.call("GET", f"{API}/hosts?api-key={server.token}", token=None)


def test_revoked_tokens_stop_at_once(server):
    made = server.post("/tokens", {"name": "dash", "role": "viewer", "ttl": "1h"})
    assert "hosts" in server.call("GET", f"{API}/hosts", token=made["token"])
    server.delete(f"/tokens/{made['id']}")
    assert refused(server, "GET", f"{API}/hosts", token=made["token"]) == 401


def test_half_a_request_does_not_hold_the_server(server):
    host, port = server.listen.split(":")
    stuck = [socket.create_connection((host, int(port))) for _ in range(20)]
    for connection in stuck:
        connection.sendall(b"POST /api/atalaya/v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert server.get("/hosts") == {"hosts": []}
    for connection in stuck:
        connection.close()


def test_server_away_loses_nothing_and_late_alerts_say_so(data, tmp_path, webhook):
    log = tmp_path / "app.log"
    log.write_text("")
    text = ("package: test\nversion: 1.0.0\nrules:\n  a:\n    errors:\n"
            f"      tailable: {{match: '{{file=\"{log}\"}}', pattern: 'ERROR', within: 1h}}\n"
            f"collectors:\n  a:\n    app: {{log: {{path: '{log}'}}, on: '*'}}\n"
            f"channels:\n  ops:\n    hook: {{webhook: {{url: '{webhook.url}'}}}}\n")
    with Server(data, packages={"test": text}, arguments=["--late-after", "3s"]) as server:
        with Agent(tmp_path / "agent", server):
            until(lambda: server.query("node_load1"), what="the first sample")

            def tailed():
                with open(log, "a") as out:
                    out.write("hello\n")
                return server.get("/logs", text="hello")["logs"]
            until(tailed, what="the log is tailed")
            server.stop()
            begun = time.time()
            with open(log, "a") as out:
                out.write("".join(f"line {n}\n" for n in range(500)) + "ERROR while you were away\n")
            time.sleep(12)  # the outage itself
            server.start()
            lines = until(lambda: (found := server.get("/logs", text="line ", direction="forward", limit=1000)["logs"])
                          and len(found) >= 500 and found, what="the spooled lines")
            assert [entry["line"] for entry in lines] == [f"line {n}" for n in range(500)], "each once, in order"
            alert = until(lambda: server.alert("errors"), what="the alert")
            assert alert["late"] is True
            webhook.wait_for(about("errors", "firing"))
            until(lambda: server.query("node_load1"), what="live samples")
            points = server.query_range("node_load1", begun, begun + 12, 1)[0][1]
            assert len(points) >= 12, "the outage is filled from the spool"


def test_header_bombs_are_refused(server):
    host, port = server.listen.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("GET", "/-/healthy")
    connection.putheader("X-Long", "x" * 100_000)
    try:
        connection.endheaders()
        assert connection.getresponse().status in (400, 431)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert "healthy" in server.call("GET", "/-/healthy", token=None)
