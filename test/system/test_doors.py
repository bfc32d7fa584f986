"""Doors of the server: what comes in by packages and the API, what goes out by channels and links."""

import os
import re
import socket
import subprocess
import time

import pytest

from atalaya import API, HttpError, Server, binary, make_certificate, until
from sinks import about

RULE = """package: test
version: 1.0.0
rules:
  a:
    load: {gauge: {expr: 'node_load1', above: {critical: -1}}}
"""


def hook(url, extra=""):
    return RULE + f"channels:\n  ops:\n    hook: {{webhook: {{url: '{url}'{extra}}}}}\n"


def status_of(server, method, path, body=None):
    with pytest.raises(HttpError) as error:
        server.call(method, path, body)
    return error.value.status, error.value.body


def check(folder):
    return Server.cli("check", folder, check=False)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_the_secret_address_of_a_channel_reaches_neither_log_nor_api(data):
    secret = f"http://127.0.0.1:{free_port()}/services/T0/B0/verysecret"
    text = RULE + f"channels:\n  ops:\n    chat: {{slack: {{url: '{secret}'}}}}\n"
    with Server(data, packages={"test": text}) as server:
        server.post("/channels/test/ops/chat/test")
        tried = until(lambda: [a for n in server.get("/notifications")["notifications"]
                               if n["channel"] == "test/ops/chat" for a in n["attempts"]], what="an attempt")
        assert "127.0.0.1" in tried[0]["answer"], "the answer still says where"
        assert "verysecret" not in str(tried)
        assert "verysecret" not in str(server.get("/channels"))
        assert "verysecret" not in server.log()


def test_an_address_of_a_check_holds_no_password_and_no_control_characters(server):
    code, said = status_of(server, "POST", f"{API}/checks",
                           {"type": "http", "target": "http://ana:hidden@127.0.0.1/", "on": "*"})
    assert code == 400 and "hidden" not in str(said) and said["remedy"], said
    assert status_of(server, "POST", f"{API}/checks",
                     {"type": "http", "target": "http://127.0.0.1/\u0001", "on": "*"})[0] == 400
    assert server.get("/checks")["checks"] == []


def test_a_pipe_among_the_packages_stops_nobody(data):
    with Server(data, packages={"test": RULE}) as server:
        os.mkfifo(data / "packages" / "default" / "test" / "more.yaml")
        package = until(lambda: next((p for p in server.get("/packages")["packages"]
                                      if p["name"] == "test" and p["state"] == "broken"), None),
                        what="the pipe is told of")
        assert package["errors"][0]["file"].endswith("more.yaml"), package
        server.write_package("other", RULE.replace("package: test", "package: other"))
        until(lambda: "other/a/load" in [r["id"] for r in server.get("/rules")["rules"]], what="packages are looked at")
        server.stop()
        server.start()


BAD_CHANNELS = [
    ("channels:\n  ops:\n    hook: {webhook: {url: 'ftp://x'}}\n", "http://"),
    ("channels:\n  ops:\n    hook: {webhook: {url: 'http://x', ulr: 1}}\n", "ulr"),
    ("channels:\n  ops:\n    hook: {email: {smtp: 'mail', from: 'a@b.c', to: ['x@y.z']}}\n", "smtp://"),
]


@pytest.mark.parametrize("channels,words", BAD_CHANNELS)
def test_check_finds_what_the_server_would_refuse(tmp_path, channels, words):
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "package.yaml").write_text(RULE + channels)
    done = check(folder)
    assert done.returncode == 1
    assert re.search(r"test/package\.yaml:8:\d+: .*" + re.escape(words), done.stderr), done.stderr
    (folder / "package.yaml").write_text(hook("http://127.0.0.1:1/"))
    assert check(folder).returncode == 0


def test_a_bad_channel_leaves_the_running_package_also_across_a_restart(data, webhook):
    with Server(data, packages={"test": hook(webhook.url)}) as server:
        server.write_package("test", hook("ftp://x"))
        code, said = status_of(server, "POST", "/-/reload")
        assert code == 400 and said["place"]["file"].endswith("test/package.yaml"), said
        for _ in range(2):
            assert "test/ops/hook" in [c["id"] for c in server.get("/channels")["channels"]]
            server.post("/channels/test/ops/hook/test")
            server.kill()
            server.start()
        webhook.wait_for(count=2)


def test_an_annotation_that_does_not_parse_is_refused_with_its_place(data):
    bad = RULE.replace("above: {critical: -1}}}", "above: {critical: -1}}, annotations: {summary: '{{ nope }}'}}")
    with Server(data, packages={"test": RULE}) as server:
        server.write_package("test", bad)
        code, said = status_of(server, "POST", "/-/reload")
        assert code == 400 and said["place"]["line"] == 5 and "nope" in said["error"], said
        assert "test/a/load" in [r["id"] for r in server.get("/rules")["rules"]]


def test_the_file_of_a_channel_type_is_the_truth(data, webhook):
    with Server(data, packages={"test": hook(webhook.url)}) as server:
        file = data / "packages" / "default" / "base" / "channels" / "webhook.yaml"
        text = file.read_text()
        file.write_text(text.replace("'{{ toJson . }}'", "'changed by hand'"))

        def changed():
            server.post("/channels/test/ops/hook/test")
            return any(request["body"] == "changed by hand" for request in webhook.requests)
        until(changed, what="the changed type is used")
        file.write_text(text.replace("'{{ toJson . }}'", "'{{ nope }}'"))
        code, said = status_of(server, "POST", "/-/reload")
        assert code == 400 and said["place"]["file"].endswith("base/channels/webhook.yaml"), said
        server.kill()
        server.start()
        before = len(webhook.requests)
        server.post("/channels/test/ops/hook/test")
        until(lambda: any(request["body"] == "changed by hand" for request in webhook.requests[before:]),
              what="the last good type is used after a restart")


def test_links_say_https_and_the_port_that_was_bound(data, tmp_path, webhook):
    tls = make_certificate(tmp_path / "tls")
    with Server(data, packages={"test": hook(webhook.url)}, tls=tls) as server:
        server.post("/channels/test/ops/hook/test")
        body = webhook.wait_for()[0]["body"]
        assert body["externalURL"] == server.url and server.url.startswith("https://"), body["externalURL"]


def test_links_name_the_machine_when_every_address_is_listened_on(data, webhook):
    with Server(data, packages={"test": hook(webhook.url)}) as server:
        server.stop()
        port = free_port()
        server.listen = f"0.0.0.0:{port}"
        server.arguments = ["--insecure-http"]
        server.start(wait=False)
        line = server.process.stdout.readline()
        server.url = f"http://127.0.0.1:{port}"
        assert server.url in line, "the link opens on this machine"
        until(lambda: server.call("GET", "/-/ready", token=None), what="readiness")
        server.post("/channels/test/ops/hook/test")
        assert webhook.wait_for()[0]["body"]["externalURL"] == f"http://{socket.gethostname()}:{port}"


def test_a_full_disk_is_told_by_readiness_and_errors(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        with Server(folder / "data", command="up", arguments=["--series-disk-reserve", "1MiB"]) as server:
            until(lambda: server.query("node_load1"), what="the first sample")
            filler = folder / "filler"
            with open(filler, "wb", buffering=0) as out:
                with pytest.raises(OSError):
                    while True:
                        out.write(b"x" * 4096)

            def refuses():
                try:
                    server.call("GET", "/-/ready", token=None)
                except HttpError as error:
                    return error
            answer = until(refuses, timeout=60, what="not ready")
            assert answer.status == 503 and "disk" in answer.body["remedy"], answer
            code, said = status_of(server, "POST", f"{API}/checks",
                                   {"type": "tcp", "target": "127.0.0.1:1", "on": "*"})
            assert code == 503 and said["remedy"], said
            filler.unlink()
            until(lambda: not refuses(), timeout=60, what="ready again")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("option,value", [("--series-retention", "0s"), ("--logs-max-bytes", "1"),
                                          ("--logs-max-age", "1s"), ("--down-after", "0s")])
def test_amounts_that_keep_nothing_are_refused(tmp_path, option, value):
    done = subprocess.run([binary("atalaya"), "server", "--data", tmp_path / "d", "--listen", "127.0.0.1:0", option,
                           value], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and option in done.stderr and "at least" in done.stderr, done.stderr
    assert not (tmp_path / "d").exists()


def test_reload_by_get_is_405_with_the_allowed_method(server):
    import http.client
    host, port = server.listen.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "/-/reload", headers={"Authorization": f"Bearer {server.token}"})
    answer = connection.getresponse()
    assert answer.status == 405 and "POST" in answer.headers["Allow"]


def test_a_name_that_only_begins_like_loopback_is_not_loopback(tmp_path):
    done = subprocess.run([binary("atalaya"), "server", "--data", tmp_path / "d", "--listen", "127.evil.example:0",
                           "--insecure-no-auth", "--insecure-http"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "--insecure-no-auth is refused" in done.stderr, done.stderr


def test_another_tenant_has_the_shipped_packages_from_its_first_token(server):
    mine = {package["name"] for package in server.get("/packages")["packages"]}
    other = server.cli("token", "create", "--data", server.data, "--tenant", "other", "--role", "admin",
                       "--ttl", "1h").strip()

    def theirs():
        return {package["name"] for package in server.call("GET", f"{API}/packages", token=other)["packages"]}
    until(lambda: mine and theirs() == mine, what="the other tenant's packages")


def test_broken_packages_of_all_tenants_and_odd_folders_are_told_at_start(data):
    folder = data / "packages" / "other" / "broken"
    folder.mkdir(parents=True)
    (folder / "package.yaml").write_text("package: broken\nversion: 1.0.0\nrlues: {}\n")
    (data / "packages" / "No Tenant!").mkdir()
    with Server(data) as server:
        assert "rlues" in server.log()
        assert "No Tenant!" in server.log()
