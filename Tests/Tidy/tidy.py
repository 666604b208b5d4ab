#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tree to its own rules.

Run from the repository root: `python3 Tests/Tidy/tidy.py`. Each violation is one line,
`path:line: reason`; the last line says how many checks passed and failed, and the exit status is
1 if any failed. A check is one rule held against one file, or one rule held against the tree.
"""

import pathlib
import re
import subprocess
import sys

SPDX = "// SPDX-License-Identifier: Apache-2.0"
FILE_LINES_MAX = 400
LINE_LENGTH_MAX = 100

# What each target may import of the project's own modules: DESIGN's table. Package.swift must
# declare no more, and no source file may import more.
MODULES = {
    "Bytes": [],
    "Reactor": ["Bytes", "CLinux"],
    "Crypto": ["Bytes", "COpenSSL"],
    "TLS": ["Bytes", "Crypto", "COpenSSL"],
    "HTTP1": ["Bytes"],
    "WebSocket": ["Bytes", "Crypto"],
    "JSON": ["Bytes"],
    "Identity": ["Bytes", "Crypto", "JSON"],
    "Inspection": ["Bytes", "JSON"],
    "Policy": ["Bytes", "JSON"],
    "Telemetry": ["Bytes"],
    "Filters": ["Bytes", "Crypto", "HTTP1", "Identity", "Inspection", "Policy", "Telemetry"],
    "Gateway": ["Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "WebSocket", "JSON", "Identity",
                "Inspection", "Policy", "Telemetry", "Filters"],
    "Admin": ["Bytes", "Crypto", "HTTP1", "JSON", "Telemetry", "Identity", "Policy"],
    "Control": ["Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "Identity", "Policy", "Telemetry",
                "Admin"],
    "agentport": ["Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "WebSocket", "JSON", "Identity",
                  "Inspection", "Policy", "Telemetry", "Filters", "Gateway", "Admin", "Control"],
}

# What comes with the toolchain and any module may import.
TOOLCHAIN = ["Synchronization"]

# Rules that stand whatever the table says, so that an edit of it cannot undo them.
ONLY_IMPORTED_BY = {
    "COpenSSL": ["TLS", "Crypto"],
    "CLinux": ["Reactor"],
    "Glibc": ["Reactor", "agentport"],
}
NEVER_IMPORTS = {
    "Filters": ["TLS", "Reactor", "Gateway"],
    "Admin": ["Gateway"],
}
# Nobody else may see both sockets and messages.
REACTOR_AND_HTTP1 = ["Gateway", "Control", "agentport"]

UNSAFE_MODULES = ["Bytes", "Reactor", "TLS", "Crypto"]

TOP_LEVEL = [
    "Package.swift", "Sources", "CShims", "Tests", "Benchmarks", "perf", "deploy", "README.md",
    "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
]

FORBIDDEN = [
    (re.compile(r"\btry!"), "try! traps on an error"),
    (re.compile(r"\bfatalError\("), "fatalError( traps"),
]
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
IMPORT = re.compile(
    r"^\s*(?:@[\w()]+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)")
UNSAFE = re.compile(r"\bunsafe\b")
# Home directories and scratch folders of whoever wrote the line.
DEVELOPER_PATH = re.compile(r"(?<![\w.\-/])/(?:home|Users|root|work)/[\w.]|(?<![\w.\-])/tmp/wk\b")
# Users of containers and of examples.
DEVELOPER_PATH_ALLOWED = re.compile(r"/home/(?:nonroot|agentport|agent|user)\b")

TEXT_SUFFIXES = {
    ".swift", ".h", ".c", ".modulemap", ".md", ".py", ".sh", ".json", ".jsonc", ".yaml", ".yml",
    ".toml", ".service", ".cfg", ".txt", ".html", ".css", ".js", "",
}


class Tidy:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = self.committed_files()
        self.checks = 0
        self.violations = []
        self.failed = set()
        # Per module: each module that it imports, and where.
        self.imports = {}

    def committed_files(self):
        """What git has or would add; without git, everything."""
        listing = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], capture_output=True, check=False)
        if listing.returncode == 0:
            names = [name for name in listing.stdout.decode().split("\0") if name]
        else:
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
        paths = sorted(set(pathlib.PurePosixPath(name) for name in names))
        return [path for path in paths if (self.root / path).is_file()]

    def check(self, path, rule, found):
        """Counts one check; `found` holds (line, reason) of each violation."""
        self.checks += 1
        for line, reason in found:
            self.violations.append((str(path), line, reason))
            self.failed.add((str(path), rule))

    def lines(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace").splitlines()

    def run(self):
        self.check_top_level()
        self.check_package()
        for path in self.files:
            if path.parts[0] == "Sources" and path.suffix == ".swift":
                self.check_source(path)
            if path.parts[0] == "Benchmarks" and path.suffix == ".swift":
                self.check_benchmark(path)
            if path.suffix in TEXT_SUFFIXES:
                self.check_developer_paths(path)
        self.check_reactor_and_http1()
        return sorted(self.violations)

    # The tree

    def check_top_level(self):
        entries = sorted({path.parts[0] for path in self.files})
        self.check(".", "top level", [
            (1, f"top-level entry {entry} is not among those agreed") for entry in entries
            if entry not in TOP_LEVEL and not entry.startswith(".")])
        self.check(".", "no Package.resolved", [
            (1, f"{path} is committed, yet there are no packages to resolve")
            for path in self.files if path.name == "Package.resolved"])

    def check_package(self):
        path = pathlib.PurePosixPath("Package.swift")
        if path not in self.files:
            self.check(path, "package", [(1, "there is no Package.swift")])
            return
        lines = self.lines(path)
        self.check(path, "no packages", [
            (number, "the project depends on no package")
            for number, line in enumerate(lines, 1) if ".package(" in line])
        found = []
        for name, imports, number in declared_modules("\n".join(lines)):
            if name not in MODULES:
                found.append((number, f"target {name} is not in the table of modules"))
                continue
            found += [(number, f"{name} may not depend on {other}")
                      for other in imports if other not in MODULES[name]]
        self.check(path, "declared imports", found)

    # Sources

    def check_source(self, path):
        code = self.check_form(path)
        module = path.parts[1]
        if module not in UNSAFE_MODULES:
            self.check(path, "unsafe", [
                (number, f"unsafe outside {', '.join(UNSAFE_MODULES)}")
                for number, line in enumerate(code, 1) if UNSAFE.search(line)])
        self.check(path, "imports", self.import_faults(path, module, code))

    def check_benchmark(self, path):
        """Benchmarks read as the sources do, and may import any of the project's modules."""
        code = self.check_form(path)
        self.check(path, "Foundation", [
            (number, "Foundation is not used in Benchmarks") for number, line in enumerate(code, 1)
            if (match := IMPORT.match(line)) and match.group(1).startswith("Foundation")])

    def check_form(self, path):
        lines = self.lines(path)
        code = [without_comments_and_strings(line) for line in lines]
        self.check(path, "SPDX", [] if lines and lines[0] == SPDX else [
            (1, "the first line is not the SPDX line")])
        self.check(path, "file length", [] if len(lines) <= FILE_LINES_MAX else [
            (len(lines), f"{len(lines)} lines, the most is {FILE_LINES_MAX}")])
        self.check(path, "line length", [
            (number, f"{len(line)} characters, the most is {LINE_LENGTH_MAX}")
            for number, line in enumerate(lines, 1) if len(line) > LINE_LENGTH_MAX])
        self.check(path, "traps", [
            (number, reason) for number, line in enumerate(code, 1)
            for pattern, reason in FORBIDDEN if pattern.search(line)])
        self.check(path, "unfinished", [
            (number, "an unfinished place") for number, line in enumerate(lines, 1)
            if UNFINISHED.search(line)])
        return code

    def import_faults(self, path, module, code):
        imports = [(match.group(1), number) for number, line in enumerate(code, 1)
                   if (match := IMPORT.match(line))]
        if module not in MODULES:
            return [(1, f"target {module} is not in the table of modules")]
        found = []
        for name, number in imports:
            if name.startswith("Foundation"):
                found.append((number, "Foundation is not used in Sources"))
            elif module not in ONLY_IMPORTED_BY.get(name, [module]):
                found.append((number, f"{name} is imported by "
                                      f"{' and '.join(ONLY_IMPORTED_BY[name])} alone"))
            elif name in NEVER_IMPORTS.get(module, []):
                found.append((number, f"{module} never imports {name}"))
            elif name == "Glibc":
                if module == "agentport" and path.name != "main.swift":
                    found.append((number, "Glibc is for main.swift, to exit"))
            elif name not in MODULES[module] + TOOLCHAIN:
                found.append((number, f"{module} may not import {name}"))
            self.imports.setdefault(module, {})[name] = (path, number)
        return found

    def check_reactor_and_http1(self):
        for module, imports in sorted(self.imports.items()):
            is_both = "Reactor" in imports and "HTTP1" in imports
            path, number = imports.get("HTTP1", (f"Sources/{module}", 1))
            self.check(path, "Reactor and HTTP1", [
                (number, f"only {', '.join(REACTOR_AND_HTTP1)} know both Reactor and HTTP1")
            ] if is_both and module not in REACTOR_AND_HTTP1 else [])

    # All text

    def check_developer_paths(self, path):
        if path.parts[:2] == ("Tests", "Tidy"):
            return
        self.check(path, "developer paths", [
            (number, "a path of some developer's machine")
            for number, line in enumerate(self.lines(path), 1)
            if DEVELOPER_PATH.search(DEVELOPER_PATH_ALLOWED.sub("", line))])


def declared_modules(text):
    """Each `module("Name", ["A", …])` of Package.swift, and the executable, with its line."""
    pattern = re.compile(
        r"\bmodule\(\s*\"(\w+)\"\s*,\s*\[(.*?)\]"
        r"|\.executableTarget\(\s*name:\s*\"(agentport)\"\s*,\s*dependencies:\s*\[(.*?)\]", re.S)
    for match in pattern.finditer(text):
        name = match.group(1) or match.group(3)
        imports = re.findall(r"\"(\w+)\"", match.group(2) or match.group(4) or "")
        yield name, imports, text.count("\n", 0, match.start()) + 1


def without_comments_and_strings(line):
    """The code of a line: what stands in a string or behind `//` is blanked."""
    line = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def main():
    tidy = Tidy(pathlib.Path.cwd())
    for path, line, reason in tidy.run():
        print(f"{path}:{line}: {reason}")
    failed = len(tidy.failed)
    print(f"{tidy.checks - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
