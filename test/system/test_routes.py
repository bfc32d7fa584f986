"""`atalaya check routes` and `atalaya test routes`: verdicts, places and exit codes."""

import json
import shutil
import subprocess

import pytest

from atalaya import Server

GOOD = """global: {smtp_smarthost: 'localhost:25', smtp_from: 'alerts@example.org'}
route:
  receiver: default
  group_by: [alertname]
  routes:
  - {match_re: {test: '^[12]$'}, receiver: test1, continue: yes}
  - {matchers: [test=2], receiver: test2, group_wait: 10s}
receivers:
- {name: default, email_configs: [{to: ops@example.org}]}
- {name: test1}
- {name: test2, webhook_configs: [{url: 'http://127.0.0.1/x'}]}
inhibit_rules: [{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [host]}]
"""
BAD = GOOD.replace("receiver: test2", "receiver: test3").replace("[test=2]", "['test']").replace("equal", "eqal")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "good.yml").write_text(GOOD)
    (tmp_path / "bad.yml").write_text(BAD)
    return tmp_path


def test_a_good_file_is_counted_and_a_bad_one_says_where(files):
    done = Server.cli("check", "routes", files / "good.yml", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Checking {files}/good.yml\n  SUCCESS: 3 routes, 3 receivers, 1 inhibitions, 0 time intervals\n\n"
    done = Server.cli("check", "routes", files / "good.yml", files / "bad.yml", check=False)
    assert done.returncode == 1
    told = done.stderr.splitlines()
    assert told[0] == "  FAILED:"
    assert [line.split(":", 1)[1].split(": ", 1)[0] for line in told[1:]] == ["7:17", "7:36", "12:97"]
    assert 'did you mean "test' in told[2] and 'did you mean "equal"' in told[3]


def test_standard_input_and_json(files):
    done = Server.cli("check", "routes", "-o", "json", input=BAD, check=False)
    told = json.loads(done.stdout)["files"][0]
    assert done.returncode == 1 and told["file"] == "standard input" and len(told["errors"]) == 3
    assert told["errors"][0]["place"] == "standard input:7:17"


def test_a_package_is_read_by_its_section(tmp_path):
    section = "".join("  " + line + "\n" for line in GOOD.splitlines())
    (tmp_path / "package.yaml").write_text("package: p\nversion: 1.0.0\nalertmanager:\n" + section)
    assert "3 routes" in Server.cli("check", "routes", tmp_path / "package.yaml")


def test_what_is_not_carried_out_is_named(tmp_path):
    (tmp_path / "am.yml").write_text("route: {receiver: a}\nreceivers:\n- name: a\n  pushover_configs:\n"
                                     "  - {user_key: x, token: y}\n")
    done = Server.cli("check", "routes", tmp_path / "am.yml", check=False)
    assert done.returncode == 0
    assert 'WARNING: ' in done.stderr and 'receiver "a": pushover is not carried out here' in done.stderr


# Labels, receivers expected (None: not asked), exit code, what is printed: as amtool does it.
ROUTED = [(["test=1"], "test1", 0, "test1"), (["test=2"], "test1,test2", 0, "test1,test2"),
          (["test=3"], None, 0, "default"), ([], "default", 0, "default"),
          (["test=2"], "test2,test1", 1, "test1,test2"), (['test="1"', "other=x"], "test1", 0, "test1")]


@pytest.mark.parametrize("labels,expected,code,printed", ROUTED)
def test_who_would_get_it(files, labels, expected, code, printed):
    asked = [f"--verify.receivers={expected}"] if expected else []
    done = Server.cli("test", "routes", f"--config.file={files}/good.yml", *asked, *labels, check=False)
    assert (done.returncode, done.stdout) == (code, printed + "\n"), done.stderr
    assert ("WARNING: Expected receivers did not match" in done.stderr) == (code == 1)


@pytest.mark.skipif(not shutil.which("amtool"), reason="Debian's amtool (prometheus-alertmanager) is not installed")
@pytest.mark.parametrize("labels,expected,code,printed", ROUTED)
def test_amtool_says_the_same(files, labels, expected, code, printed):
    asked = [f"--verify.receivers={expected}"] if expected else []
    done = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={files}/good.yml", *asked, *labels],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[0]) == (code, printed)


def test_labels_and_files_that_are_wrong(files):
    for arguments in (["--config.file", files / "bad.yml", "test=1"], ["--config.file", files / "good.yml", "test"],
                      ["--config.file", files / "good.yml", "test!=1"], ["--config.file", files / "none.yml", "a=b"]):
        assert Server.cli("test", "routes", *arguments, check=False).returncode == 1
    assert Server.cli("test", "routes", "a=b", check=False).returncode == 2


def test_the_tree_shows_groups_and_times(files):
    told = Server.cli("test", "routes", "--config.file", files / "good.yml", "--tree", "test=2", "alertname=disk")
    assert 'to test2 (webhook)\n  grouped by alertname: {alertname="disk"}\n  waits 10s, tells changes after 5m' in told
    answer = json.loads(Server.cli("test", "routes", "--config.file", files / "good.yml", "-o", "json", "test=2"))
    assert [one["receiver"] for one in answer["routes"]] == ["test1", "test2"]
