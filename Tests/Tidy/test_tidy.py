#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that `tidy.py` passes a clean tree and fails on each violation planted in it."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("tidy.py")
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
PACKAGE = """// swift-tools-version: 6.2
let package = Package(
    targets: [
        module("Bytes", []),
        module("Filters", ["Bytes", "HTTP1",
                           "Telemetry"]),
        .executableTarget(name: "agentport", dependencies: ["Bytes", "Gateway"]),
    ]
)
"""
CLEAN = {
    "Package.swift": PACKAGE,
    "LICENSE": "Apache\n",
    ".gitignore": ".build*/\nPackage.resolved\n",
    "Sources/README.md": "The map. It may say TODO and unsafe.\n",
    "Sources/Bytes/Slab.swift": SPDX + "import Synchronization\nlet a = unsafe b()\n",
    "Sources/Reactor/Loop.swift": SPDX + "import Bytes\nimport CLinux\nimport Glibc\n",
    "Sources/TLS/Session.swift": SPDX + "package import COpenSSL\n",
    "Sources/Gateway/Worker.swift": SPDX + "import HTTP1\nimport Reactor\n",
    "Sources/Filters/Chain.swift": SPDX + "import Policy\n// Not unsafe, and no try! either.\n"
                                          "let text = \"fatalError( and unsafe in a string\"\n",
    "Sources/agentport/main.swift": SPDX + "import Glibc\n",
    "Benchmarks/Suite/Load.swift": SPDX + "import HTTP1\nimport Reactor\nlet a = unsafe b()\n",
    "Tests/BytesTests/Tests.swift": "import Foundation\nlet long = \"" + "x" * 200 + "\"\n",
}


class TidyTests(unittest.TestCase):
    def tidy(self, changes, git=False):
        """Runs the script over the clean tree with `changes`; gives its status and lines."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**CLEAN, **changes}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            if git:
                subprocess.run(["git", "init", "-q", folder], check=True)
            result = subprocess.run(
                [sys.executable, str(SCRIPT)], cwd=root, capture_output=True, text=True,
                check=False)
            self.assertEqual(result.stderr, "")
            return result.returncode, result.stdout.splitlines()

    def assert_fails(self, changes, *expected):
        status, lines = self.tidy(changes)
        self.assertEqual(lines[:-1], list(expected))
        self.assertRegex(lines[-1], r"^\d+ passed, [1-9]\d* failed$")
        self.assertEqual(status, 1)

    def source(self, module, text, expected):
        """One file of a module with a violation in its second line."""
        path = f"Sources/{module}/Planted.swift"
        self.assert_fails({path: SPDX + text + "\n"}, f"{path}:2: {expected}")

    def test_clean_tree_passes(self):
        for git in (False, True):
            status, lines = self.tidy({}, git=git)
            self.assertEqual(lines[:-1], [])
            self.assertRegex(lines[-1], r"^[1-9]\d* passed, 0 failed$")
            self.assertEqual(status, 0)

    def test_imports_outside_the_table(self):
        self.source("HTTP1", "import JSON", "HTTP1 may not import JSON")
        self.source("Bytes", "@testable import HTTP1", "Bytes may not import HTTP1")
        self.source("Policy", "import struct Crypto.Digest", "Policy may not import Crypto")
        self.source("Filters", "import TLS", "Filters never imports TLS")
        self.source("Filters", "import Reactor", "Filters never imports Reactor")
        self.source("Filters", "import Gateway", "Filters never imports Gateway")
        self.source("Admin", "import Gateway", "Admin never imports Gateway")
        self.source("Gateway", "import Dispatch", "Gateway may not import Dispatch")

    def test_foundation(self):
        self.source("Control", "import Foundation", "Foundation is not used in Sources")
        self.source("Control", "internal import FoundationEssentials",
                    "Foundation is not used in Sources")

    def test_c_modules(self):
        self.source("Identity", "import COpenSSL", "COpenSSL is imported by TLS and Crypto alone")
        self.source("Control", "import CLinux", "CLinux is imported by Reactor alone")
        self.source("Gateway", "import Glibc", "Glibc is imported by Reactor and agentport alone")
        self.source("agentport", "import Glibc", "Glibc is for main.swift, to exit")

    def test_reactor_and_http1_in_two_files_of_a_module(self):
        self.assert_fails(
            {"Sources/TLS/A.swift": SPDX + "import HTTP1\n",
             "Sources/TLS/B.swift": SPDX + "import Reactor\n"},
            "Sources/TLS/A.swift:2: TLS may not import HTTP1",
            "Sources/TLS/A.swift:2: only Gateway, Control, agentport know both Reactor and HTTP1",
            "Sources/TLS/B.swift:2: TLS may not import Reactor")

    def test_unknown_module(self):
        self.assert_fails({"Sources/Extra/A.swift": SPDX},
                          "Sources/Extra/A.swift:1: target Extra is not in the table of modules")

    def test_unsafe(self):
        for text in ("let a = unsafe b()", "nonisolated(unsafe) var a = 0"):
            self.source("Telemetry", text, "unsafe outside Bytes, Reactor, TLS, Crypto")

    def test_traps_and_unfinished_places(self):
        self.source("JSON", "let a = try! b()", "try! traps on an error")
        self.source("JSON", 'fatalError("no")', "fatalError( traps")
        self.source("JSON", "// TODO: later", "an unfinished place")
        self.source("JSON", "// FIXME", "an unfinished place")

    def test_lengths(self):
        self.source("JSON", "/" * 101, "101 characters, the most is 100")
        path = "Sources/JSON/Long.swift"
        self.assert_fails({path: SPDX + "\n" * 400}, f"{path}:401: 401 lines, the most is 400")
        status, _ = self.tidy({path: SPDX + "\n" * 398 + "/" * 100 + "\n"})
        self.assertEqual(status, 0)

    def test_spdx(self):
        path = "Sources/JSON/Bare.swift"
        for text in ("", "import Bytes\n", "\n" + SPDX):
            self.assert_fails({path: text}, f"{path}:1: the first line is not the SPDX line")

    def test_benchmarks(self):
        path = "Benchmarks/Suite/Bare.swift"
        self.assert_fails({path: SPDX + "import Foundation\n"},
                          f"{path}:2: Foundation is not used in Benchmarks")
        self.assert_fails({path: "import Bytes\n"},
                          f"{path}:1: the first line is not the SPDX line")

    def test_package_resolved(self):
        self.assert_fails(
            {"Tests/Package.resolved": "{}"},
            ".:1: Tests/Package.resolved is committed, yet there are no packages to resolve")
        status, _ = self.tidy({"Package.resolved": "{}"}, git=True)
        self.assertEqual(status, 0, "ignored by git, so never committed")

    def test_package_manifest(self):
        self.assert_fails(
            {"Package.swift": PACKAGE + '.package(url: "https://example.com", from: "1.0.0")\n'},
            "Package.swift:10: the project depends on no package")
        self.assert_fails(
            {"Package.swift": PACKAGE.replace('"Telemetry"', '"TLS"')},
            "Package.swift:5: Filters may not depend on TLS")
        self.assert_fails(
            {"Package.swift": PACKAGE.replace('module("Bytes"', 'module("Extra"')},
            "Package.swift:4: target Extra is not in the table of modules")

    def test_top_level_entries(self):
        self.assert_fails({"notes.md": "x\n"},
                          ".:1: top-level entry notes.md is not among those agreed")
        self.assert_fails({"Scripts/run": "x\n"},
                          ".:1: top-level entry Scripts is not among those agreed")

    def test_developer_paths(self):
        folders = ("home/someone", "Users/someone", "root/agentport", "work/notes")
        for text in ("see /" + folder for folder in folders):
            self.assert_fails({"README.md": "first\n" + text + "\n"},
                              "README.md:2: a path of some developer's machine")
        status, _ = self.tidy({"README.md": "/home/nonroot and https://a.example/home/x\n"})
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
