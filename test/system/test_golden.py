"""What other programs and people parse: command-line help and outgoing messages, compared with kept copies.

ATALAYA_UPDATE_GOLDEN=1 rewrites the copies; look at the difference before committing it."""

import json
import os
import re

import pytest

from atalaya import ROOT, Server
from sinks import WebhookSink, about

GOLDEN = ROOT / "test/golden"


def compare(name, text):
    path = GOLDEN / name
    if os.environ.get("ATALAYA_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"{path} is missing: run once with ATALAYA_UPDATE_GOLDEN=1"
    assert text == path.read_text()


@pytest.mark.parametrize("command", ["", "up", "server", "check", "check rules", "check routes", "token", "token create", "token list",
                                     "token revoke", "token verify", "alert", "alert list", "alert show", "alert ack",
                                     "alert shelve", "alert close", "alert note", "incident", "incident list",
                                     "incident show", "incident ack", "incident assign", "incident close", "incident merge", "incident note", "silence", "silence add",
                                     "silence list", "silence expire", "test", "test promql", "test rules", "test routes", "package", "package list", "package show",
                                     "package explain", "package diff", "package history", "package install",
                                     "package upgrade", "package remove", "package revert", "package check",
                                     "package pack", "package export", "package keygen", "tsdb", "tsdb import", "tsdb export",
                                     "dashboard", "sensor", "demo", "demo occi", "tsdb flush", "tsdb analyze", "tsdb fsck", "tsdb snapshot", "tsdb delete",
                                     "tsdb dump"])
def test_help(command):
    compare(f"help/{command.replace(' ', '-') or 'atalaya'}.txt", Server.cli(*command.split(), "--help"))


def anonymous(value):
    """Times, ids, host names, ports and keys differ from run to run."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
    text = re.sub(r'"(fingerprint|value|id|incident)": "?[^",\n]+"?', r'"\1": "…"', text)
    text = re.sub(r"[0-9a-f]{16}", "ALERT", text)
    text = text.replace(os.uname().nodename, "HOST")
    text = re.sub(r"\b1\.?\d*e\+0?9\b|\b1[6-9]\d{8}(\.\d+)?\b", "NUMBER", text)
    return text + "\n"


def test_messages_to_webhook_and_slack(data):
    rule = ("package: test\nversion: 1.0.0\nrules:\n  a:\n    always:\n      title: It is always so\n"
            "      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}\n"
            "      labels: {team: storage}\n"
            "      annotations: {summary: 'booted on {{ $labels.instance }}'}\n")
    with WebhookSink() as hook, WebhookSink() as slack:
        channels = (f"channels:\n  ops:\n    hook: {{webhook: {{url: '{hook.url}'}}}}\n"
                    f"    chat: {{slack: {{url: '{slack.url}'}}}}\n")
        with Server(data, command="up", packages={"test": rule + channels}):
            compare("messages/webhook.json", anonymous(hook.wait_for(about("always"))[0]["body"]))
            told = slack.wait_for(lambda r: "always" in str(r["body"]))[0]["body"]
            compare("messages/slack.json", anonymous(told))
