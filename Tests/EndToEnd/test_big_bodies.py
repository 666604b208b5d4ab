# SPDX-License-Identifier: Apache-2.0
"""Bodies larger than any buffer, readers and writers slower than their peer: memory stays flat."""

import hashlib
import threading
import time
from pathlib import Path

import pytest

from support.waiting import wait_until
from support.wire import encode

# A sanitizer's own memory is not the gateway's.
pytestmark = pytest.mark.native

MIB = 1 << 20
BLOCK = bytes(range(256)) * 256  # 64 KiB


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}, "listen": {"limits": {"body": "2000MiB"}}}


def _upload(gateway, agent, recorder, mib):
    with gateway.connect(timeout=120) as wire:
        assert wire.request("GET", "/warm", agent.bearer()).status == 200
        before, peak = gateway.resident_bytes(), 0
        wire.send(encode("POST", "/up", [*agent.bearer(), ("Content-Length", str(mib * MIB))]))
        for number in range(mib * 16):
            wire.send(BLOCK)
            if number % 64 == 0:
                peak = max(peak, gateway.resident_bytes())
        assert wire.response().json()["length"] == mib * MIB
    digest = hashlib.sha256()
    for _ in range(mib * 16):
        digest.update(BLOCK)
    assert recorder.at("/up")[0].sha256 == digest.hexdigest()
    return peak - before


def _download(gateway, agent, recorder, mib):
    def flood(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (mib * MIB))
        for _ in range(mib * 16):
            exchange.send(BLOCK)

    recorder.on("/down", flood)
    digest, peak = hashlib.sha256(), 0
    expected = hashlib.sha256()
    with gateway.connect(timeout=120) as wire:
        assert wire.request("GET", "/warm", agent.bearer()).status == 200
        before = gateway.resident_bytes()
        wire.send(encode("GET", "/down", agent.bearer()))
        assert wire.head().get("Content-Length") == str(mib * MIB)
        for number in range(mib * 16):
            digest.update(wire.exactly(len(BLOCK)))
            expected.update(BLOCK)
            if number % 64 == 0:
                peak = max(peak, gateway.resident_bytes())
    assert digest.hexdigest() == expected.hexdigest()
    return peak - before


@pytest.mark.parametrize("transfer", [_upload, _download], ids=["up", "down"])
def test_64_mib_pass_without_growth(gateway, agent, recorder, transfer):
    assert transfer(gateway, agent, recorder, 64) < 8 * MIB


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("transfer", [_upload, _download], ids=["up", "down"])
def test_1_gib_passes_without_growth(gateway, agent, recorder, transfer):
    assert transfer(gateway, agent, recorder, 1024) < 8 * MIB


def test_a_slow_reader_costs_bounded_memory(gateway, agent, recorder):
    """Ten clients that do not read: what the upstream cannot send stays with the upstream."""
    sent = [0] * 10

    def flood(exchange):
        number = int(exchange.request.target.split("?")[1])
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (32 * MIB))
        for _ in range(512):
            exchange.send(BLOCK)
            sent[number] += len(BLOCK)

    recorder.on("/down", flood)
    before = gateway.resident_bytes()
    wires = [gateway.connect(timeout=30) for _ in range(10)]
    for number, wire in enumerate(wires):
        wire.send(encode("GET", f"/down?{number}", agent.bearer()))
    _wait_for_standstill(sent)
    assert gateway.resident_bytes() - before < 16 * MIB
    # What waits in the kernel is ours as well: a container is charged with it.
    queued = unsent_bytes(gateway.port)
    assert len(queued) == 10 and max(queued) < 192 * 1024, queued
    assert all(0 < amount < 32 * MIB for amount in sent), "nothing was held back"
    assert wires[0].response().body == BLOCK * 512
    for wire in wires:
        wire.close()


def unsent_bytes(port):
    """What lies in the send queues of the connections to a local port; proc(5), net/tcp."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queued = [int(row[4].split(":")[0], 16) for row in rows
              if int(row[1].split(":")[1], 16) == port]
    return [count for count in queued if count]


def _wait_for_standstill(sent):
    """Waits until the amounts have not changed for a third of a second."""
    state = {"sum": -1, "since": time.monotonic()}

    def still():
        if sum(sent) != state["sum"]:
            state.update(sum=sum(sent), since=time.monotonic())
        return sum(sent) and time.monotonic() - state["since"] > 0.3
    wait_until(still, timeout=20, what="the upstream to be held back")


def test_a_slow_upstream_holds_the_client_back(gateway, agent, recorder):
    release = threading.Event()
    recorder.on("/up", lambda exchange: release.wait(20), at="head")
    sent = [0]
    with gateway.connect(timeout=30) as wire:
        before = gateway.resident_bytes()
        wire.send(encode("POST", "/up", [*agent.bearer(), ("Content-Length", str(64 * MIB))]))

        def pour():
            for _ in range(1024):
                wire.send(BLOCK)
                sent[0] += len(BLOCK)

        thread = threading.Thread(target=pour)
        thread.start()
        _wait_for_standstill(sent)
        assert sent[0] < 64 * MIB, "nothing was held back"
        assert gateway.resident_bytes() - before < 8 * MIB
        recorder.on("/up", lambda exchange: exchange.reply(b"done"))
        release.set()
        thread.join(30)
        assert wire.response().body == b"done"
