# SPDX-License-Identifier: Apache-2.0
"""`agentport dev`: what a newcomer sees in the first minute, pasted as it is printed."""

import contextlib
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from support.gateway import BINARY, environment, free_port
from support.recorder import Recorder
from support.waiting import wait_until


class Dev:
    """A running `agentport dev` and what it has printed."""

    def __init__(self, *arguments):
        self.port = free_port()
        self.process = subprocess.Popen(
            [str(BINARY), "dev", "--port", str(self.port), *arguments], env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))

    def examples(self):
        """Each printed curl command, with the status that stands with it (200 if none does)."""
        found, claim = [], ""
        for line in list(self.lines):
            if re.match(r"\s*(\$ )?curl\s", line):
                statuses = re.findall(r"\b([1-5]\d\d)\b", claim)
                found.append((line.strip().removeprefix("$ "),
                              int(statuses[-1]) if statuses else 200))
                claim = ""
            else:
                claim = line if line.strip() else claim
        return found

    def wait(self):
        """Waits until it has printed its examples and serves."""
        wait_until(self._serves, timeout=15, what="dev to serve")
        wait_until(self.examples, what="the curl lines")
        # They are flushed line by line: wait until no more come.
        count = -1
        while count != len(self.lines):
            count = len(self.lines)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: len(self.lines) != count, timeout=0.2)
        return self

    def _serves(self):
        assert self.process.poll() is None, "\n".join(self.lines)
        return subprocess.run(["curl", "-sk", "-o", "/dev/null", "--max-time", "2",
                               f"https://127.0.0.1:{self.port}/healthz"]).returncode == 0

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(5)
        return status


@pytest.fixture
def dev():
    started = []

    def start(*arguments):
        started.append(Dev(*arguments))
        return started[-1].wait()

    yield start
    for one in started:
        one.end()


def paste(line, tmp_path):
    """Runs a line as a shell would, with curl told by its own configuration to add the status."""
    (tmp_path / ".curlrc").write_text('write-out = "\\nstatus %{http_code}"\nmax-time = 10\n')
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=20,
                          cwd=tmp_path, env={**environment(), "CURL_HOME": str(tmp_path)})


def directory_of(examples):
    seed = re.search(r"--seed-file[ =]'?(/[^\s')]+)", "\n".join(line for line, _ in examples))
    assert seed, "no line computes its code"
    return Path(seed[1]).parent


def test_every_line_does_what_it_says(dev, tmp_path):
    running = dev()
    examples = running.examples()
    assert any(status == 200 for _, status in examples)
    for line, status in examples:
        result = paste(line, tmp_path)
        assert result.returncode == 0, (line, result)
        shown = re.findall(r"status (\d{3})", result.stdout) \
            or re.findall(r"\b([1-5]\d\d)\b", result.stdout)
        assert str(status) in shown, (line, status, result)


@pytest.mark.native
def test_the_lines_need_nothing_but_curl(dev):
    examples = dev().examples()
    for line, _ in examples:
        outside = re.sub(r"\$\([^)]*\)|'[^']*'|\"[^\"]*\"", "", line)
        assert not re.search(r"[|;&<>`]", outside), line
    # The program names itself as the kernel does, without the links that led to it.
    binary = os.path.realpath(BINARY)
    assert any(f"$({binary} totp code --seed-file" in line for line, _ in examples)


def test_each_decision_is_shown(dev, tmp_path):
    running = dev()
    line = next(line for line, status in running.examples() if status == 200)
    before = len(running.lines)
    assert paste(line, tmp_path).returncode == 0
    wait_until(lambda: any("200" in shown for shown in running.lines[before:]),
               what="the decision to be shown")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_its_end_is_clean(dev, number):
    running = dev()
    directory = directory_of(running.examples())
    assert directory.stat().st_mode & 0o777 == 0o700
    assert running.end(number) == 0
    assert not directory.exists()


def test_the_key_of_the_examples_stands_for_one_agent_only(dev, tmp_path):
    """Two of them side by side have nothing in common."""
    first, second = dev(), dev()
    assert directory_of(first.examples()) != directory_of(second.examples())
    assert first.end() == 0
    line, status = next(e for e in second.examples() if e[1] == 200)
    assert f"status {status}" in paste(line, tmp_path).stdout


def test_an_upstream_of_one_s_own(dev, tmp_path):
    recorder = Recorder()
    try:
        running = dev("--upstream", recorder.url)
        line = next(line for line, status in running.examples() if status == 200)
        assert "status 200" in paste(line, tmp_path).stdout
        assert recorder.requests[0].get("x-agentport-jwt").count(".") == 2
    finally:
        recorder.close()
