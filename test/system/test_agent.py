"""The agent as a customer installs it: enrolment, pinned certificate, proxy, identity, removal."""

import base64
import select
import socket
import stat
import subprocess
import threading
import time

import pytest

from atalaya import Agent, HttpError, Server, binary, make_certificate, until


class ConnectProxy:
    """An HTTP proxy that knows CONNECT only and wants a password."""

    def __init__(self, user, password):
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.tunnels = 0
        self.refusals = 0

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        lines = head.decode().split("\r\n")
        if f"Proxy-Authorization: {self.expected}" not in lines:
            self.refusals += 1
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return client.close()
        host, port = lines[0].split()[1].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server:
            self.tunnels += 1
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)


@pytest.fixture
def tls_server(data, tmp_path):
    with Server(data, tls=make_certificate(tmp_path / "tls")) as server:
        yield server


def up(server, name):
    return [h for h in server.get("/hosts")["hosts"] if h["name"] == name and h["state"] == "up"]


def test_enrolled_agent_reports_over_pinned_tls(tls_server, tmp_path):
    with Agent(tmp_path / "agent", tls_server, name="node7"):
        until(lambda: up(tls_server, "node7"), what="the host")
        until(lambda: tls_server.query('node_load1{instance="node7",job="node"}'), what="its samples")
        identity = tmp_path / "agent/identity.json"
        assert stat.S_IMODE(identity.stat().st_mode) == 0o600


def test_another_certificate_is_refused(tls_server, tmp_path):
    token = tls_server.post("/enrolments")["token"]
    wrong = token.rsplit(".", 1)[0] + "." + "A" * 43
    done = Agent(tmp_path / "agent", tls_server).enroll(token=wrong, check=False)
    assert done.returncode == 1 and "certificate" in done.stderr, done.stderr


def test_an_enrolment_token_works_once(tls_server, tmp_path):
    token = tls_server.post("/enrolments")["token"]
    Agent(tmp_path / "one", tls_server, name="one").enroll(token=token)
    done = Agent(tmp_path / "two", tls_server, name="two").enroll(token=token, check=False)
    assert done.returncode == 1, done.stderr
    assert not (tmp_path / "two/identity.json").exists()


def test_the_name_of_a_host_that_is_up_is_taken(tls_server, tmp_path):
    with Agent(tmp_path / "one", tls_server, name="twin"):
        old = until(lambda: up(tls_server, "twin"), what="the host")[0]
        token = tls_server.post("/enrolments")["token"]
        done = Agent(tmp_path / "two", tls_server, name="twin").enroll(token=token, check=False)
        assert done.returncode != 0 and "--replace" in done.stderr and "is up" in done.stderr, done.stderr
        assert not (tmp_path / "two/identity.json").exists()
        done = Agent(tmp_path / "bad", tls_server, name="twin;id").enroll(token=token, check=False)
        assert done.returncode != 0 and "letters, digits" in done.stderr, done.stderr

        done = subprocess.run([binary("atalaya-agent"), "enroll", "--server", tls_server.url, "--token", token,
                               "--data", str(tmp_path / "two"), "--name", "twin", "--replace"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"the refusals left the token good: {done.stderr}"
        new = [h for h in tls_server.get("/hosts")["hosts"] if h["name"] == "twin"]
        assert len(new) == 1 and new[0]["id"] != old["id"]


def test_the_way_leads_through_a_proxy_with_a_password(tls_server, tmp_path):
    with ConnectProxy("user", "secret word") as proxy:
        password = tmp_path / "proxy-password"
        password.write_text("secret word\n")
        arguments = ["--proxy", f"http://user@127.0.0.1:{proxy.port}", "--proxy-password-file", str(password)]
        with Agent(tmp_path / "agent", tls_server, name="inside", arguments=arguments) as agent:
            until(lambda: up(tls_server, "inside"), what="the host")
            assert proxy.tunnels >= 2, "enrolment and connection went through it"
            assert "secret word" not in agent.log()


def test_a_proxy_that_refuses_is_named_without_its_password(tls_server, tmp_path):
    with ConnectProxy("user", "other") as proxy:
        agent = Agent(tmp_path / "agent", tls_server, arguments=["--proxy", f"http://user:wrong@127.0.0.1:{proxy.port}"])
        done = agent.enroll(check=False)
        assert done.returncode == 1 and "proxy wants another" in done.stderr and "wrong" not in done.stderr, done.stderr
        assert proxy.refusals and not proxy.tunnels


def test_a_removed_host_stays_out(tls_server, tmp_path):
    with Agent(tmp_path / "agent", tls_server, name="gone") as agent:
        host = until(lambda: up(tls_server, "gone"), what="the host")[0]
        tls_server.delete(f"/hosts/{host['id']}")
        with pytest.raises(HttpError) as missing:
            tls_server.get(f"/hosts/{host['id']}")
        assert missing.value.status == 404
        until(lambda: "removed" in agent.log(), what="the agent says so")
        assert not tls_server.get("/hosts")["hosts"]


def test_agent_needs_only_libc_and_tls():
    linked = subprocess.run(["ldd", binary("atalaya-agent")], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].split("/")[-1].split(".so")[0] for line in linked.splitlines()}
    assert names <= {"linux-vdso", "libssl", "libcrypto", "libc", "libm", "ld-linux-x86-64"}, names


def test_names_and_labels_agree_with_node_exporter(server, tmp_path):
    """Every metric that both have carries the same label names, so dashboards and rules fit."""
    import re
    import urllib.request
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    exporter = subprocess.Popen(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        text = until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode(), what="exporter")
    finally:
        exporter.terminate()
        exporter.wait()
    theirs = {}
    for line in text.splitlines():
        found = re.match(r"(node_\w+)(?:\{(.*)\})? ", line)
        if found:
            theirs.setdefault(found[1], set()).update(re.findall(r'(\w+)="[^"]', found[2] or ""))
    with Agent(tmp_path / "agent", server, name="me"):
        until(lambda: server.query('node_filesystem_avail_bytes{instance="me"}'), what="samples")
        time.sleep(1.5)  # a second round, for what needs two
        ours = {}
        for metric in server.call("GET", "/api/v1/series?match[]=%7Binstance%3D%22me%22%2Cjob%3D%22node%22%7D")["data"]:
            ours.setdefault(metric.pop("__name__"), set()).update(set(metric) - {"instance", "job"})
    shared = {name for name in ours if name in theirs}
    different = {name: (ours[name], theirs[name]) for name in shared if ours[name] != theirs[name]}
    assert not different
    missing = {name for name in theirs if name not in ours and "scrape_collector" not in name}
    print(f"{len(shared)} shared, missing here: {sorted(missing)}")
    assert len(shared) >= 150, sorted(missing)
