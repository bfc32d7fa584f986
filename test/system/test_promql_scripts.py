"""`atalaya test promql`: what it prints and how it leaves."""

import subprocess

from atalaya import BUILD


def run(*arguments):
    return subprocess.run([str(BUILD / "atalaya"), "test", "promql", *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


def test_failures_are_told_with_file_and_line(tmp_path):
    good = tmp_path / "good.test"
    good.write_text("load 1m\n  a 1 2\n\neval instant at 1m a\n  a 2\n")
    bad = tmp_path / "bad.test"
    bad.write_text("load 1m\n  a 1 2\n\neval instant at 1m a\n  a 3\n")
    done = run(good)
    assert (done.returncode, done.stdout) == (0, "1 passed, 0 failed\n")
    done = run(good, bad)
    assert done.returncode == 1
    assert done.stdout == f"{bad}:4: a: expected a 3, got a 2\n1 passed, 1 failed\n"


def test_native_histograms_are_skipped_and_counted(tmp_path):
    script = tmp_path / "native.test"
    script.write_text("load 1m\n  h {{sum:1 count:1}}x2\n\neval instant at 0 h\n  h {{sum:1 count:1}}\n")
    done = run(script)
    assert done.returncode == 0
    assert done.stdout == f"{script}:4: h: needs native histograms (skipped)\n0 passed, 0 failed, 1 skipped\n"


def test_what_is_not_understood_fails_and_the_rest_goes_on(tmp_path):
    script = tmp_path / "wrong.test"
    script.write_text("\nfrobnicate\n\neval instant at 0 1\n  1\n")
    done = run(script)
    assert done.returncode == 2
    assert done.stdout == f"{script}:2: there is no command \"frobnicate\"\n1 passed, 1 failed\n"
    assert run(tmp_path / "missing.test").returncode == 2
