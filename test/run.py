"""Runs every kind of test, prints what failed and was skipped and why, and closes with the counts."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("check", "unit", "fuzz", "sim", "web", "system", "browser")


@dataclass
class Outcome:
    kind: str
    passed: int = 0
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    output: str = ""


def read_junit(path, outcome, label):
    """Adds the cases of a JUnit file (GoogleTest, pytest and Vitest all write it)."""
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', label)}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed.append(name)
        elif case.find("skipped") is not None:
            reason = case.find("skipped")
            text = (reason.get("message") or reason.text or "no reason given").strip().splitlines()
            outcome.skipped.append((name, text[-1] if text else "no reason given"))
        elif case.get("result") in ("suppressed",) or case.get("status") == "notrun":
            continue
        else:
            outcome.passed += 1


def run(command, kind, label, junit=None, cwd=ROOT, env=None, timeout=1800):
    """One process; its cases come from the JUnit file if it wrote one, else it counts as one test."""
    outcome = Outcome(kind)
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        code, outcome.output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, outcome.output = -1, f"{(error.stdout or b'').decode(errors='replace')}\ntimed out after {timeout} s"
    if junit and junit.exists() and junit.stat().st_size:
        try:
            read_junit(junit, outcome, label)
        except xml.ParseError:
            outcome.failed.append(f"{label} (wrote no readable report)")
    elif code == 0:
        outcome.passed += 1
    if code != 0 and not outcome.failed:
        outcome.failed.append(f"{label} (exit code {code})")
    elapsed = time.monotonic() - started
    state = "FAILED" if outcome.failed else "ok"
    skipped = f", {len(outcome.skipped)} skipped" if outcome.skipped else ""
    print(f"{state:7}{kind:8}{label}: {outcome.passed} passed{skipped} ({elapsed:.1f} s)", flush=True)
    if outcome.failed:
        print("\n".join("    " + line for line in outcome.output.splitlines()[-120:]), flush=True)
    return outcome


def compiled_tests(build, reports, kinds, pattern):
    """Everything CTest knows: unit tests, fuzz replays and checks of the tree."""
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout
    jobs = []
    for test in json.loads(listing)["tests"]:
        if "command" not in test:
            jobs.append(lambda name=test["name"]: Outcome("unit", failed=[f"{name} (not built)"]))
            continue
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        kind = next(iter(properties.get("LABELS", [])), "check")
        if kind not in kinds:
            continue
        report = reports / f"{test['name']}.xml"
        env = {"GTEST_OUTPUT": f"xml:{report}"}
        if pattern:
            env["GTEST_FILTER"] = f"*{pattern}*"
        cwd = properties.get("WORKING_DIRECTORY", ROOT)
        jobs.append(lambda t=test, k=kind, r=report, e=env, c=cwd: run(t["command"], k, t["name"], r, cwd=c, env=e))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        return list(pool.map(lambda job: job(), jobs))


def python_tests(build, reports, pattern):
    report = reports / "system.xml"
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--tb=short",
               f"--junitxml={report}", "test/system"] + (["-k", pattern] if pattern else [])
    return run(command, "system", "test/system", report, env={"ATALAYA_BUILD": str(ROOT / build)}, timeout=2700)


def vitest(kind, config, reports, pattern, build):
    report = reports / f"{kind}.xml"
    command = ["npx", "--no-install", "vitest", "run", "--config", config, "--reporter=junit",
               f"--outputFile={report}"] + (["-t", pattern] if pattern else [])
    return run(command, kind, f"web ({config})", report, cwd=ROOT / "web",
               env={"ATALAYA_BUILD": str(ROOT / build)})


def sanitizer_builds(reports, pattern):
    """Levels 0 to 5 under AddressSanitizer with UBSan, then ThreadSanitizer; and clang-tidy."""
    outcomes = [run(["script/lint"], "check", "clang-tidy")]
    for preset in ("asan", "tsan"):
        built = run(["script/build", preset], "check", f"build {preset}", timeout=3600)
        outcomes.append(built)
        if not built.failed:
            folder = reports / preset
            folder.mkdir()
            outcomes += compiled_tests(f"build/{preset}", folder, ("unit", "fuzz"), pattern)
    return outcomes


def close(outcomes):
    skipped = [entry for o in outcomes for entry in o.skipped]
    failed = [(o.kind, name) for o in outcomes for name in o.failed]
    print()
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}")
    for kind, name in failed:
        print(f"failed: {kind}: {name}")
    for kind in KINDS:
        of_kind = [o for o in outcomes if o.kind == kind]
        if of_kind:
            print(f"{kind}: {sum(o.passed for o in of_kind)} passed, {sum(len(o.failed) for o in of_kind)} failed, "
                  f"{sum(len(o.skipped) for o in of_kind)} skipped")
    passed = sum(o.passed for o in outcomes)
    tail = f", {len(skipped)} skipped" if skipped else ""
    print(f"{passed} passed, {len(failed)} failed{tail}")
    return 1 if failed or passed == 0 else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", action="append", choices=KINDS)
    parser.add_argument("-k", dest="pattern")
    parser.add_argument("--build", default="build/dev")
    options = parser.parse_args()
    kinds = options.only or KINDS
    reports = pathlib.Path(tempfile.mkdtemp(prefix="atalaya-test-"))
    outcomes = []
    try:
        if {"check", "unit", "fuzz", "sim"} & set(kinds):
            outcomes += compiled_tests(options.build, reports, kinds, options.pattern)
        if "web" in kinds:
            outcomes.append(run(["npm", "run", "--silent", "check"], "web", "types", cwd=ROOT / "web"))
            outcomes.append(vitest("web", "vitest.config.ts", reports, options.pattern, options.build))
        if "system" in kinds:
            outcomes.append(python_tests(options.build, reports, options.pattern))
        if "browser" in kinds:
            outcomes.append(vitest("browser", "vitest.browser.config.ts", reports, options.pattern, options.build))
        if options.all:
            outcomes += sanitizer_builds(reports, options.pattern)
    finally:
        shutil.rmtree(reports, ignore_errors=True)
    return close(outcomes)


if __name__ == "__main__":
    sys.exit(main())
