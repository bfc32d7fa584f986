"""The README's commands, as a reader would paste them (with this run's port and build folder)."""

import os
import re
import subprocess

from atalaya import BUILD, ROOT, Server, until


def blocks():
    """Shell blocks by the heading above them."""
    found, heading = {}, ""
    for part in re.split(r"(?m)^## ", (ROOT / "README.md").read_text()):
        heading = part.splitlines()[0]
        found[heading] = re.findall(r"```sh\n(.*?)```", part, re.S)
    return found


def paste(text, server, folder):
    text = text.replace("build/release/", f"{BUILD}/").replace("127.0.0.1:2001", server.listen)
    text = text.replace("/tmp/app.log", str(folder / "app.log"))
    done = subprocess.run(["bash", "-euc", text], cwd=folder, capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_a_threshold_cross(tmp_path):
    with Server(tmp_path / "atalaya-data", command="up") as server:
        until(lambda: server.query("node_load1"), what="the first sample")
        paste(blocks()["Make a threshold cross"][0], server, tmp_path)

        def paged():
            with open(tmp_path / "app.log", "a") as log:
                log.write("ERROR again\n")  # the reader's line may come before the file is followed
            return server.alert("errors")
        alert = until(paged, what="the alert")
        assert alert["labels"]["file"] == str(tmp_path / "app.log")
        states = {p["name"]: p["state"] for p in server.get("/packages")["packages"]}
        assert states["first"] == "ok"


def test_packages(tmp_path):
    with Server(tmp_path / "atalaya-data") as server:
        answer = paste(blocks()["Packages"][0], server, tmp_path)
        assert "site 1.0.0" in answer and "override  site/package.yaml:5:" in answer
        assert "our own thresholds" in answer.splitlines()[-1]
        names = {p["name"] for p in server.get("/packages")["packages"]}
        assert {"site", "ping@gateway"} <= names


def test_ask_it(tmp_path):
    with Server(tmp_path / "atalaya-data", command="up") as server:
        until(lambda: server.query("sum(rate(node_cpu_seconds_total[5s]))"), what="samples")
        answer = paste(blocks()["Ask it"][0], server, tmp_path)
        assert '"mode":"idle"' in answer


def test_documents_that_the_readme_names_exist():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)]+)\)", text):
        if name.startswith("http"):
            continue
        assert (ROOT / name).exists(), name


def test_help_of_every_command_has_an_example():
    listing = Server.cli("--help")
    for command in ("up", "server", "token", "check", "test", "package"):
        assert command in listing
        assert f"atalaya {command}" in Server.cli(command, "--help")
    options = Server.cli("server", "--help")
    assert "--listen" in options and "ATALAYA_LISTEN" in options
