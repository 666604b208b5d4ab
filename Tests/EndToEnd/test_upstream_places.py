# SPDX-License-Identifier: Apache-2.0
"""Where an upstream may be: on a Unix socket, on IPv6, behind a name, at several places named by
the environment."""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.gateway import upstream
from support.waiting import wait_until
from support.wire import encode


@pytest.fixture
def folder(tmp_path_factory):
    """A short path: a socket's has 107 bytes."""
    return tmp_path_factory.mktemp("s")


# Unix sockets.

def test_a_unix_socket(front, recorders, folder):
    recorder = recorders(address=f"{folder}/up")
    gateway = front(upstream(recorder))
    with gateway.connect() as wire:
        for number in range(5):
            assert wire.request("POST", f"/{number}", body=b"x" * 100_000).status == 200
    assert [request.length for request in recorder.whole] == [100_000] * 5
    assert recorder.connections == 1
    assert recorder.requests[0].get("Host") == "claw.example.com"
    assert gateway.endpoint_health(recorder) == 1


def test_a_unix_socket_that_is_not_there_yet(front, recorders, folder):
    recorder = recorders(address=f"{folder}/up")
    recorder.stop()
    gateway = front(upstream(recorder))
    response = gateway.request("GET", "/")
    assert response.verdict == (503, "upstream_unavailable")
    line = gateway.wait_told("upstream not reached")[0]
    assert line["endpoint"] == recorder.label and "No such file" in line["reason"]
    recorder.resume()
    assert gateway.request("GET", "/").status == 200
    recorder.stop()
    recorder.hang_up()
    recorder.resume()
    assert gateway.request("GET", "/").status == 200


def test_a_unix_socket_beside_a_port(front, recorders, folder):
    one, other = recorders(address=f"{folder}/up"), recorders()
    gateway = front(upstream(one, other, balance="round_robin"))
    for _ in range(6):
        assert gateway.request("GET", "/").status == 200
    assert (len(one.requests), len(other.requests)) == (3, 3)
    one.stop()
    one.hang_up()
    for _ in range(6):
        assert gateway.request("GET", "/").status == 200


def test_a_unix_socket_that_accepts_nobody(front, recorders, folder):
    """Its backlog is full: there is no connection in the making to wait for (connect(2))."""
    with socket.socket(socket.AF_UNIX) as full, contextlib.ExitStack() as fillers:
        full.bind(f"{folder}/full")
        full.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                filler = fillers.enter_context(socket.socket(socket.AF_UNIX))
                filler.setblocking(False)
                filler.connect(f"{folder}/full")
        there = recorders()
        gateway = front(upstream(f"unix:{folder}/full", there, balance="round_robin"))
        for _ in range(4):
            assert gateway.request("GET", "/").status == 200
        assert len(there.requests) == 4
        assert gateway.wait_told("upstream not reached", endpoint=f"unix:{folder}/full")


# IPv6.

def test_an_ipv6_address(front, recorders):
    recorder = recorders(address=("::1", 0))
    gateway = front(upstream(recorder))
    assert gateway.request("POST", "/", body=b"x").json()["length"] == 1
    assert recorder.label.startswith("[::1]:") and gateway.endpoint_health(recorder) == 1


# Names.

def test_a_name(front, recorders):
    recorder = recorders()
    gateway = front(upstream(f"http://localhost:{recorder.port}"))
    assert gateway.request("GET", "/").status == 200
    line = gateway.wait_told("upstream resolved")[0]
    assert line["host"] == "localhost"
    assert gateway.endpoint_health(f"localhost:{recorder.port}") == 1
    assert gateway.admin("/readyz").status == 200


def test_the_first_requests_after_a_start_wait_for_the_name(make, recorders):
    """They come before the resolver has said anything: they are answered, not refused."""
    recorder = recorders()
    for _ in range(5):
        gateway = make().from_environment(
            f"http://localhost:{recorder.port}", {"AGENTPORT_TOTP_ONE_TIME": "false"})
        headers = gateway.agents[0].bearer()
        gateway.launch()
        wire = wait_until(lambda: _connected(gateway), timeout=15, interval=0.001)
        assert wire.request("GET", "/", headers).status == 200
        wire.close()
        gateway.stop()
    assert len(recorder.requests) == 5


def _connected(gateway):
    try:
        return gateway.connect()
    except OSError:
        return None


@pytest.fixture
def nowhere(front):
    """A gateway whose upstream has a name that nobody has (RFC 6761 §6.4)."""
    return front(upstream("http://nobody.invalid:80"))


def test_a_name_that_does_not_resolve(nowhere):
    for _ in range(3):
        response = nowhere.request("GET", "/")
        assert response.verdict == (503, "upstream_unavailable")
        assert int(response.get("Retry-After")) >= 1
    line, = nowhere.wait_told("upstream does not resolve")
    assert line["host"] == "nobody.invalid" and line["level"] == "warn" and line["reason"]
    assert nowhere.admin("/readyz").status == 503
    assert nowhere.endpoint_health("nobody.invalid:80") == 0


def test_a_name_that_does_not_resolve_is_told_once(nowhere):
    nowhere.wait_told("upstream does not resolve", timeout=10)
    began = time.monotonic()
    # It is asked for again each second.
    wait_until(lambda: time.monotonic() - began > 2.2, timeout=5)
    assert len(nowhere.told("upstream does not resolve")) == 1


def test_a_name_that_does_not_resolve_beside_an_address(front, recorders):
    recorder = recorders()
    gateway = front(upstream("http://nobody.invalid:80", recorder))
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: gateway.request("GET", "/").status, range(24))
    assert set(answers) == {200}
    assert gateway.admin("/readyz").status == 200


# All of 127.0.0.0/8 is this machine. The resolver puts 127.0.0.1 first.
@pytest.mark.parametrize("place", ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_name_with_several_addresses_of_which_one_answers(
        front, recorders, hosts, place, workers):
    hosts.write_text("".join(f"127.0.0.{n} claw.test\n" for n in (1, 2, 3)))
    recorder = recorders(address=(place, 0))
    gateway = front(upstream(f"http://claw.test:{recorder.port}"), workers=workers, hosts=hosts)
    gateway.wait_told("upstream resolved")
    wires = [gateway.connect() for _ in range(24)]
    for turn in range(3):
        # At once, so that several find out the same thing of the same address.
        for wire in wires:
            wire.send(encode("POST", "/", body=b"x"))
        assert [wire.response().status for wire in wires] == [200] * 24
        recorder.hang_up()
    for wire in wires:
        wire.close()
    assert len(recorder.requests) == 24 * 3


def test_a_name_that_is_known_later(front, recorders, hosts):
    recorder = recorders()
    gateway = front(upstream(f"http://claw.test:{recorder.port}"), hosts=hosts)
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    assert gateway.admin("/readyz").status == 503
    hosts.write_text("127.0.0.1 claw.test\n")
    gateway.wait_told("upstream resolved")
    assert gateway.request("GET", "/").status == 200
    assert gateway.admin("/readyz").status == 200


@pytest.fixture
def silent_dns(tmp_path):
    """A file that the gateway reads as /etc/resolv.conf: its server never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.0.99", 53))
        except OSError:
            pytest.skip("port 53 is not to be had here")
        file = tmp_path / "resolv.conf"
        file.write_text("nameserver 127.0.0.99\n")
        yield file


def test_a_name_that_takes_long_does_not_hold_up_another(front, recorders, hosts, silent_dns):
    hosts.write_text("127.0.0.1 claw.test\n")
    recorder = recorders()
    gateway = front(upstream("http://slow.test", name="slow"),
                    upstream(f"http://claw.test:{recorder.port}", connect_timeout="1s"),
                    routes=[{"path": "/", "upstream": "openclaw"}], hosts=hosts,
                    resolver=silent_dns)
    assert gateway.request("GET", "/").status == 200


@pytest.mark.long
def test_a_name_that_moves(front, recorders, hosts):
    """It is asked for each ten seconds."""
    hosts.write_text("127.0.0.1 claw.test\n")
    recorder = recorders()
    moved = recorders(address=("127.0.0.2", recorder.port))
    gateway = front(upstream(f"http://claw.test:{recorder.port}"), hosts=hosts)
    assert gateway.request("GET", "/").status == 200
    hosts.write_text("127.0.0.2 claw.test\n")
    gateway.wait_told("upstream resolved", 2, timeout=14)
    recorder.stop()
    recorder.hang_up()
    for _ in range(4):
        assert gateway.request("GET", "/").status == 200
    assert (len(recorder.requests), len(moved.requests)) == (1, 4)


# The environment.

def test_several_from_the_environment(make, recorders):
    two = recorders(), recorders()
    gateway = make().from_environment(
        ", ".join(recorder.url for recorder in two),
        {"AGENTPORT_TOTP_ONE_TIME": "false"}).start()
    headers = gateway.agents[0].bearer()
    for _ in range(40):
        assert gateway.request("GET", "/", headers).status == 200
    assert all(recorder.requests for recorder in two)
    two[0].stop()
    two[0].hang_up()
    for _ in range(10):
        assert gateway.request("GET", "/", headers).status == 200
    assert [gateway.endpoint_health(each, "upstream") for each in two][1] == 1
