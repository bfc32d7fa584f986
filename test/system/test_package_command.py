"""`atalaya package` and `atalaya test`: what people do with packages from a terminal, against a real server."""

import json
import os
import re
import shutil

import pytest

from atalaya import ROOT, Server, make_certificate

SITE = """package: site
version: {version}
title: Our machines
override:
  host: {{rules: {{disk: {{filesystem_filling: {{gauge: {{below: {{warning: {warning}}}}}}}}}}}}}
instances:
  ping: {{gateway: {{with: {{host: 127.0.0.1}}}}}}
"""


def write_site(folder, version="1.0.0", warning=0.2):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.yaml").write_text(SITE.format(version=version, warning=warning))
    return folder


@pytest.fixture
def package(server):
    """Runs a verb beside the server's folder; `package(…, check=False)` gives the whole outcome."""
    def run(*words, **options):
        return Server.cli("package", *words, "--data", server.data, **options)
    return run


def as_json(text):
    return json.loads(text)


def warning_of(package):
    item = as_json(package("explain", "host", "rules", "disk/filesystem_filling", "-o", "json"))
    return next(f for f in item["fields"] if f["field"] == "gauge.below.warning")


def test_finds_the_server_by_its_folder_or_by_its_address(server, package, tmp_path):
    listed = package("list")
    assert listed.splitlines()[0].split() == ["NAME", "VERSION", "STATE", "ITEMS", "TITLE"]
    assert any(line.startswith("host ") for line in listed.splitlines())
    far = Server.cli("package", "list", "-o", "json", "--server", server.url, "--token", server.token)
    assert as_json(far) == server.get("/packages")
    told = {**os.environ, "ATALAYA_SERVER": server.url, "ATALAYA_TOKEN": server.token}
    assert Server.cli("package", "list", env=told) == listed
    nobody = Server.cli("package", "list", "--server", server.url, check=False)
    assert nobody.returncode == 1 and "--token" in nobody.stderr
    lost = Server.cli("package", "list", "--data", tmp_path / "elsewhere", check=False)
    assert lost.returncode == 1 and "atalaya up --data" in lost.stderr


def test_a_stopped_server_leaves_no_address(data):
    with Server(data) as server:
        assert json.loads((data / "server.json").read_text()) == {"url": server.url}
    assert not (data / "server.json").exists()
    gone = Server.cli("package", "list", "--data", data, check=False)
    assert gone.returncode == 1 and "no server runs" in gone.stderr


def test_a_certificate_of_ones_own_is_trusted_by_its_file(data, tmp_path):
    certificate = make_certificate(tmp_path / "tls")
    with Server(data, tls=certificate):
        refused = Server.cli("package", "list", "--data", data, check=False)
        assert refused.returncode == 1
        assert "host " in Server.cli("package", "list", "--data", data, "--ca-file", certificate[0])


def test_shows_a_package_and_the_items_of_a_section(server, package):
    text = package("show", "host")
    assert text.startswith("host ") and "disks.yaml (" in text
    counts = server.get("/packages/host")["sections"]
    assert f"rules {counts['rules']}" in text
    rules = package("show", "host", "rules")
    assert "disk/filesystem_filling" in rules and "File system is filling" in rules
    missing = package("show", "hots", check=False)
    assert missing.returncode == 1 and "hots" in missing.stderr
    misspelt = package("show", "host", "ruls", check=False)
    assert misspelt.returncode == 1 and 'did you mean "rules"' in misspelt.stderr and misspelt.stdout == ""


def test_installs_explains_upgrades_and_removes(server, package, tmp_path):
    before = warning_of(package)
    assert before["from"]["how"] == "written"
    folder = write_site(tmp_path / "site")
    preview = package("install", folder, "--dry-run")
    assert "nothing was changed" in preview and "ping@gateway" in preview
    assert "site" not in [p["name"] for p in server.get("/packages")["packages"]]

    done = package("install", folder, "--reason", "small disks")
    assert "site 1.0.0" in done and "Commit" in done
    field = warning_of(package)
    assert field["value"] == "0.2" and field["from"]["how"] == "override" and field["from"]["package"] == "site"
    text = package("explain", "host", "rules", "disk", "filesystem_filling")
    assert any("gauge.below.warning" in line and "override  site/package.yaml:5:" in line for line in text.splitlines())

    again = package("install", folder, check=False)
    assert again.returncode == 1 and "upgrade" in again.stderr
    same = package("upgrade", folder, check=False)
    assert same.returncode == 1 and "version" in same.stderr
    write_site(folder, version="1.1.0", warning=0.3)
    package("upgrade", folder)
    assert warning_of(package)["value"] == "0.3"

    kept = package("remove", "site", check=False, input="host\n")
    assert kept.returncode == 1 and "Type the package's name" in kept.stderr and "removed" in kept.stderr
    assert kept.stderr.startswith("This will happen:\n") and "preview" not in kept.stderr
    assert warning_of(package)["value"] == "0.3"
    shown = package("show", "ping@gateway")
    assert re.search(r"instance of +ping, declared in site\n", shown) and re.search(r"value +host: 127\.0\.0\.1\n", shown)
    rules = package("show", "ping@gateway", "rules")
    assert "127.0.0.1" in rules and "${host}" not in rules

    removed = package("remove", "site", input="site\n", check=False)
    assert removed.returncode == 0 and removed.stdout.startswith("Commit "), "what happens was read before the question"
    assert removed.stderr.endswith("Type the package's name to remove it: \n")
    assert warning_of(package) == before

    noted = [(e["action"], e["object"], e["who"]) for e in server.get("/audit")["entries"]]
    assert [n[:2] for n in noted] == [("package.change", "site"), ("package.install", "site"),
                                      ("package.install", "site")]
    assert all("command line" in who for _, _, who in noted)
    details = [e["detail"] for e in server.get("/audit")["entries"]]
    assert "package site is removed" in details[0] and "site 1.0.0" in details[2]


def test_what_is_not_there_is_told_with_what_was_meant(package):
    def told(*words):
        refused = package(*words, check=False)
        assert refused.returncode == 1 and refused.stdout == ""
        return refused.stderr
    assert 'did you mean "host/disk/filesystem_filling"?' in told("explain", "host", "rules", "disk", "filesystem_filing")
    group = told("explain", "host", "rules", "disk")
    assert "host/disk is a group, no rule (name what stands in it, such as host/disk/" in group
    assert "rules of host is a section, not one rule (it is named as host/group/name)" in told("explain", "host", "rules")
    assert 'there is no section "rulez" (did you mean "rules"?)' in told("explain", "host", "rulez", "disk", "x")


def test_a_folder_that_does_not_hold_is_refused_with_its_places(package, tmp_path):
    folder = write_site(tmp_path / "site")
    (folder / "more.yaml").write_text("package: site\nversion: 1.0.0\nrules:\n  a:\n    b: {gauge: {exp: up}}\n")
    for verb in ("check", "pack"):
        refused = Server.cli("package", verb, folder, check=False, cwd=tmp_path)
        assert refused.returncode == 1 and f"{folder}/more.yaml:5:" in refused.stderr
    assert not list(tmp_path.glob("*.atpkg"))
    refused = package("install", folder, check=False)
    assert refused.returncode == 1 and "more.yaml:5:" in refused.stderr
    errors = as_json(package("install", folder, "-o", "json", check=False).stdout)["errors"]
    assert errors[0]["line"] == 5 and errors[0]["message"]


def test_folders_are_checked_side_by_side(tmp_path):
    def told(*folders):
        done = Server.cli("check", *folders, check=False, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    for name, text in (("a", 'requires: {b: ">=1.0.0"}\n'), ("b", "instances: {ping: {gw: {with: {host: h}}}}\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "package.yaml").write_text(f"package: {name}\nversion: 1.0.0\n{text}")
    code, text = told("a")
    assert code == 1 and "a/package.yaml:3:12: package b is required and absent" in text
    assert told("a", "b") == (0, "a: a 1.0.0: nothing\nb: b 1.0.0: instances 1\n")
    assert told("a", "./a/")[0] == 1 and "is no package, but holds some" in told(".")[1]
    assert "there is no folder c" in told("c")[1]


def test_shows_what_differs_from_what_ships_and_what_a_folder_would_change(package, tmp_path):
    assert package("diff", "host") == "As it ships.\n"
    package("export", "host", "-d", tmp_path / "host")
    file = tmp_path / "host" / "disks.yaml"
    assert package("diff", "host", tmp_path / "host") == "Nothing differs.\n"
    file.write_text(file.read_text().replace("warning: 0.15", "warning: 0.25"))
    would = package("diff", "host", tmp_path / "host")
    assert "+        below: {warning: 0.25, critical: 0.05}" in would and "1 rule changes" in would
    assert package("diff", "host") == "As it ships.\n"
    new = package("diff", "site", write_site(tmp_path / "site"))
    assert "+package: site" in new and "package site is added" in new
    lone = package("diff", "site", check=False)
    assert lone.returncode == 1


def test_history_and_revert(server, package):
    server.post("/package-changes", {"reason": "less noise", "operations": [
        {"op": "set", "package": "host", "section": "rules", "path": ["disk", "filesystem_filling"],
         "field": ["gauge", "below", "warning"], "value": 0.12}]})
    assert "warning: 0.12" in package("diff", "host")
    commit = as_json(package("history", "host", "-o", "json"))["commits"][0]
    assert commit["reason"] == "less noise"
    assert any("less noise" in line and "host/disks.yaml" in line for line in package("history", "host").splitlines())
    assert "nothing was changed" in package("revert", commit["id"], "--dry-run")
    package("revert", commit["id"], "--reason", "noise again")
    assert package("diff", "host") == "As it ships.\n"
    assert "noise again" in package("history", "host").splitlines()[1]
    noted = [(e["action"], e["object"], e["detail"]) for e in server.get("/audit")["entries"][:2]]
    assert [n[:2] for n in noted] == [("package.revert", "host"), ("package.change", "host")]
    assert noted[0][2].startswith("noise again: 1 rule changes") and noted[1][2].startswith("less noise: ")
    word = package("revert", "abc", check=False)
    assert word.returncode == 1 and "abc" in word.stderr
    unknown = package("revert", 999, check=False)
    assert unknown.returncode == 1 and "999" in unknown.stderr


def test_signed_archives_are_taken_and_others_refused(data, tmp_path):
    for name in ("ops", "stranger"):
        Server.cli("package", "keygen", tmp_path / name)
    assert (tmp_path / "ops.key").stat().st_mode & 0o777 == 0o600
    again = Server.cli("package", "keygen", tmp_path / "ops", check=False)
    assert again.returncode == 1 and "already" in again.stderr
    folder = write_site(tmp_path / "site")
    for name in ("ops", "stranger"):
        Server.cli("package", "pack", folder, "--key", tmp_path / f"{name}.key", "-f", tmp_path / f"{name}.atpkg")
    Server.cli("package", "pack", folder, cwd=tmp_path)
    with Server(data, arguments=["--package-key", str(tmp_path / "ops.pub")]) as server:
        for archive, word in (("stranger.atpkg", "trusts"), ("site-1.0.0.atpkg", "not signed")):
            refused = Server.cli("package", "install", tmp_path / archive, "--data", data, check=False)
            assert refused.returncode == 1 and word in refused.stderr and "--package-key" in refused.stderr
        assert "site" not in [p["name"] for p in server.get("/packages")["packages"]]
        Server.cli("package", "install", tmp_path / "ops.atpkg", "--data", data)
        write_site(folder, version="1.0.1")
        Server.cli("package", "upgrade", folder, "--key", tmp_path / "ops.key", "--data", data)
        versions = {p["name"]: p["version"] for p in server.get("/packages")["packages"]}
        assert versions["site"] == "1.0.1"


def test_a_server_does_not_start_with_a_key_that_is_none(data, tmp_path):
    (tmp_path / "ops.pub").write_text("no key")
    server = Server(data, arguments=["--package-key", str(tmp_path / "ops.pub")])
    server.start(wait=False)
    assert server.process.wait(30) == 1
    assert "ops.pub" in server.log() and "keygen" in server.log()


def test_an_exported_archive_can_be_installed_elsewhere(server, package, tmp_path):
    package("install", write_site(tmp_path / "site"))
    package("export", "site", cwd=tmp_path)
    archive = tmp_path / "site-1.0.0.atpkg"
    exported = archive.read_bytes()
    archive.write_text("mine")
    there = package("export", "site", cwd=tmp_path, check=False)
    assert there.returncode == 1 and "is there already" in there.stderr and "--force" in there.stderr
    assert archive.read_text() == "mine"
    package("export", "site", "--force", cwd=tmp_path)
    assert archive.read_bytes() == exported
    package("remove", "site", "--yes")
    package("install", archive)
    assert warning_of(package)["value"] == "0.2"
    full = package("export", "site", "-d", tmp_path, check=False)
    assert full.returncode == 1 and "not empty" in full.stderr
    forced = package("export", "site", "-d", tmp_path, "--force", check=False)
    assert forced.returncode == 1 and "--force is for archives" in forced.stderr
    never = package("history", "siet", check=False)
    assert never.returncode == 1 and 'did you mean "site"?' in never.stderr and never.stdout == ""


def test_rule_tests_of_a_folder_tell_faults_with_file_and_line(tmp_path):
    good = Server.cli("test", "--strict", ROOT / "packages/ping")
    assert "0 faults" in good
    shutil.copytree(ROOT / "packages/ping", tmp_path / "ping")
    script = next((tmp_path / "ping/tests").glob("*.test"))
    lines = script.read_text().splitlines()
    at = lines.index("at 1m: quiet")
    lines[at] = "at 1m: firing critical ping_down"
    script.write_text("\n".join(lines) + "\n")
    bad = Server.cli("test", tmp_path / "ping", check=False)
    assert bad.returncode == 1 and f"{script}:{at + 1}:" in bad.stdout
    report = as_json(Server.cli("test", tmp_path / "ping", "-o", "json", check=False).stdout)["packages"][0]
    assert report["faults"][0]["line"] == at + 1 and report["rules"]
