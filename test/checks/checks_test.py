"""The checks of the tree find what they are for."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LAYERS = """
generated = ["made.h"]
[[level]]
libraries = ["base", "io"]
[[level]]
libraries = ["net", "db"]
[owners]
"boost/asio" = ["net"]
"boost/asio/error" = ["net", "db"]
[clock]
"src/base/clock.cc" = "it is the clock"
"""
CLOCK = ("src/base/clock.cc", "auto t = std::chrono::system_clock::now();\n")


class Checks(unittest.TestCase):
    def run_check(self, check, *files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "layers.toml").write_text(LAYERS)
            for name, text in files:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            done = subprocess.run([sys.executable, ROOT / "script" / check, root], capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def assert_found(self, result, *texts):
        self.assertEqual(result[0], 1, result[1])
        for text in texts:
            self.assertIn(text, result[1])

    def assert_clean(self, result):
        self.assertEqual(result[0], 0, result[1])

    def test_downward_includes_and_generated_headers_are_fine(self):
        self.assert_clean(self.run_check("check-layers", ("src/net/a.cc", '#include "io/x.h"\n#include "made.h"\n'),
                                         ("src/db/b.cc", '#include "net/a.h"\n#include <boost/asio/error.hpp>\n')))

    def test_an_upward_include_is_found_with_its_place(self):
        self.assert_found(self.run_check("check-layers", ("src/io/a.h", '\n#include "net/b.h"\n')),
                          "src/io/a.h:2: io (level 0) includes net (level 1)")

    def test_a_circle_within_a_level_is_found(self):
        self.assert_found(self.run_check("check-layers", ("src/net/a.h", '#include "db/b.h"\n'),
                                         ("src/db/b.h", '#include "net/a.h"\n')), "circle db → net → db")

    def test_a_third_party_outside_its_owner_is_found(self):
        self.assert_found(self.run_check("check-layers", ("src/db/a.cc", "#include <boost/asio/ip/tcp.hpp>\n")),
                          "src/db/a.cc:1: <boost/asio/ip/tcp.hpp> belongs to net")

    def test_an_unlisted_library_and_an_unknown_path_are_found(self):
        self.assert_found(self.run_check("check-layers", ("src/new/a.cc", ""), ("src/io/a.cc", '#include "x.h"\n')),
                          "src/new: this library stands in no level", '"x.h" is no path below src/')

    def test_reading_the_clock_or_sleeping_is_found(self):
        for line in ("std::chrono::steady_clock::now();", "std::this_thread::sleep_for(x);", "::time(nullptr);",
                     "sleep(1);", "SystemClock clock;"):
            self.assert_found(self.run_check("check-clock", CLOCK, ("src/net/a.cc", line + "\n")), "src/net/a.cc:1")

    def test_the_allowed_file_and_mere_words_are_fine(self):
        self.assert_clean(self.run_check("check-clock", CLOCK, ("src/net/a.cc", "clock.now();  // not sleep(1)\n"
                                                                "lifetime(0); e.time(nullptr);\n")))

    def test_a_leave_that_nobody_needs_is_found(self):
        self.assert_found(self.run_check("check-clock", ("src/base/clock.cc", "\n")), "which does not need it")

    def test_a_header_that_needs_another_first_is_found(self):
        self.assert_found(self.run_check("check-headers", ("src/io/a.h", "#pragma once\nstd::string s();\n")),
                          "io/a.h does not compile alone")
        self.assert_found(self.run_check("check-headers", ("src/io/a.h", "int f();\n")), "io/a.h lacks #pragma once")
        self.assert_clean(self.run_check("check-headers", ("src/io/a.h", "#pragma once\nint f();\n")))


if __name__ == "__main__":
    unittest.main()
