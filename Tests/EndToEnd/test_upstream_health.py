# SPDX-License-Identifier: Apache-2.0
"""Endpoints that are asked whether they are well: who gets requests, and what an operator sees."""

import threading
import time

import pytest

from support.gateway import upstream
from support.peers import Deaf
from support.waiting import wait_until

CHECK = {"path": "/healthz?deep=1", "interval": "100ms", "unhealthy_after": 2}
ILL = "503 Service Unavailable"


def checks(recorder):
    return [request for request in recorder.requests if request.path == "/healthz"]


def others(recorder):
    return [request for request in recorder.requests if request.path != "/healthz"]


def wait_ill(gateway, recorder, count=1):
    line = gateway.wait_told("upstream endpoint unhealthy", count, endpoint=recorder.label)[-1]
    assert (line["upstream"], line["level"]) == ("openclaw", "warn")
    assert gateway.endpoint_health(recorder) == 0
    return line["reason"]


def wait_well(gateway, recorder, count=1):
    line = gateway.wait_told("upstream endpoint healthy", count, endpoint=recorder.label)[-1]
    assert (line["upstream"], line["level"]) == ("openclaw", "info")
    assert gateway.endpoint_health(recorder) == 1


@pytest.fixture
def two(recorders):
    return recorders(), recorders()


def test_what_a_check_looks_like(front, recorders):
    recorder = recorders()
    began = time.monotonic()
    gateway = front(upstream(recorder, health_check=CHECK))
    wait_until(lambda: len(checks(recorder)) >= 5)
    assert time.monotonic() - began > 0.35
    check = checks(recorder)[0]
    assert (check.method, check.target, check.version) == ("GET", "/healthz?deep=1", "HTTP/1.1")
    assert check.get("Host") == recorder.label and "agentport" in check.get("User-Agent")
    assert not any(name.startswith("x-agentport") for name in check.names)
    assert "authorization" not in check.names
    assert gateway.endpoint_health(recorder) == 1 and not gateway.access()
    # One process asks once, however many workers it has.
    recorder, began = recorders(), time.monotonic()
    front(upstream(recorder, health_check={**CHECK, "interval": "300ms"}), workers=2)
    wait_until(lambda: len(checks(recorder)) >= 3)
    assert time.monotonic() - began > 0.5


def test_nobody_is_asked_unless_the_policy_says_so(front, recorders):
    recorder = recorders()
    with recorder.untouched():
        gateway = front(upstream(recorder))
        assert gateway.admin("/readyz").status == 200
        assert gateway.endpoint_health(recorder) == 1


def test_an_unhealthy_endpoint_gets_no_requests_while_another_is_healthy(front, two):
    ill, well = two
    gateway = front(upstream(*two, balance="round_robin", health_check=CHECK), workers=2)
    for _ in range(4):
        assert gateway.request("GET", "/").status == 200
    ill.reply("/healthz", status=ILL)
    assert wait_ill(gateway, ill) == "status 503"
    assert gateway.endpoint_health(well) == 1 and gateway.admin("/readyz").status == 200
    before = len(others(ill)), len(others(well))
    for _ in range(20):
        assert gateway.request("GET", "/").status == 200
    assert (len(others(ill)), len(others(well))) == (before[0], before[1] + 20)
    ill.reply("/healthz")
    wait_well(gateway, ill)
    for _ in range(20):
        assert gateway.request("GET", "/").status == 200
    assert len(others(ill)) > before[0]


def test_no_endpoint_is_healthy(front, two):
    """Better an endpoint that may be ill than none."""
    gateway = front(upstream(*two, health_check=CHECK))
    for recorder in two:
        recorder.reply("/healthz", status=ILL)
    for recorder in two:
        wait_ill(gateway, recorder)
    response = gateway.admin("/readyz")
    assert response.status == 503
    assert gateway.admin("/livez").status == 200
    assert gateway.request("GET", "/").status == 200
    two[1].reply("/healthz")
    wait_well(gateway, two[1])
    assert gateway.admin("/readyz").status == 200
    assert gateway.endpoint_health(two[0]) == 0


def test_readiness_with_one_healthy_upstream_of_two(front, two):
    gateway = front(upstream(two[0], name="openclaw", health_check=CHECK),
                    upstream(two[1], name="other"))
    two[0].reply("/healthz", status=ILL)
    wait_ill(gateway, two[0])
    assert gateway.admin("/readyz").status == 200


def test_one_failure_is_not_enough_and_a_success_in_between_counts(front, recorders):
    recorder = recorders()
    count = []

    def alternate(exchange):
        count.append(1)
        exchange.reply(status=ILL if len(count) % 3 else "200 OK")

    recorder.on("/healthz", alternate)
    gateway = front(upstream(recorder, health_check={**CHECK, "unhealthy_after": 3}))
    wait_until(lambda: len(count) >= 9)
    assert not gateway.told("upstream endpoint unhealthy")
    assert gateway.admin("/readyz").status == 200


@pytest.mark.parametrize("status, passes", [
    ("204 No Content", True), ("301 Moved Permanently", True), ("404 Not Found", False),
    ("500 Internal Server Error", False)])
def test_what_passes(front, recorders, status, passes):
    recorder = recorders()
    recorder.reply("/healthz", b"", status=status)
    gateway = front(upstream(recorder, health_check=CHECK))
    if passes:
        wait_until(lambda: len(checks(recorder)) >= 4)
        assert not gateway.told("upstream endpoint unhealthy")
    else:
        assert wait_ill(gateway, recorder) == f"status {status[:3]}"


def test_an_endpoint_that_is_gone_and_comes_back(front, recorders):
    recorder = recorders()
    gateway = front(upstream(recorder, health_check=CHECK))
    assert gateway.request("GET", "/").status == 200
    recorder.stop()
    recorder.hang_up()
    assert "refused" in wait_ill(gateway, recorder).lower()
    assert gateway.admin("/readyz").status == 503
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    recorder.resume()
    wait_well(gateway, recorder)
    assert gateway.admin("/readyz").status == 200
    assert gateway.request("GET", "/").status == 200


def test_an_endpoint_that_is_ill_from_the_start(front, recorders):
    recorder = recorders()
    recorder.stop()
    gateway = front(upstream(recorder, health_check=CHECK))
    wait_ill(gateway, recorder)
    recorder.resume()
    wait_well(gateway, recorder)


def test_an_endpoint_that_hangs(front, recorders):
    recorder = recorders()
    end = threading.Event()
    recorder.on("/healthz", lambda exchange: end.wait(20))
    gateway = front(upstream(recorder, health_check=CHECK))
    wait_ill(gateway, recorder)
    end.set()
    recorder.reply("/healthz")
    wait_well(gateway, recorder)


def test_an_endpoint_that_does_not_accept(front, recorders):
    well = recorders()
    with Deaf() as deaf:
        gateway = front(upstream(deaf, well, health_check=CHECK))
        wait_ill(gateway, deaf)
        began = time.monotonic()
        for _ in range(6):
            assert gateway.request("GET", "/").status == 200
        assert time.monotonic() - began < 2


def test_checks_over_tls(front, recorders, authority):
    recorder = recorders(tls=authority.server(authority.issue(names=["claw.internal"])))
    gateway = front(upstream(recorder, health_check=CHECK, tls={
        "ca": str(authority.path), "server_name": "claw.internal"}))
    wait_until(lambda: len(checks(recorder)) >= 3)
    assert set(recorder.server_names) == {"claw.internal"}
    recorder.reply("/healthz", status=ILL)
    wait_ill(gateway, recorder)
    recorder.reply("/healthz")
    wait_well(gateway, recorder)


def test_checks_over_tls_believe_no_stranger(front, recorders, authority):
    recorder = recorders(tls=authority.server(authority.issue(names=["other.example"])))
    gateway = front(upstream(recorder, health_check=CHECK, tls={"ca": str(authority.path)}))
    assert "mismatch" in wait_ill(gateway, recorder)
    assert recorder.requests == []


def test_checks_over_a_unix_socket(front, recorders, tmp_path_factory):
    recorder = recorders(address=f"{tmp_path_factory.mktemp('s')}/up")
    gateway = front(upstream(recorder, health_check=CHECK))
    wait_until(lambda: len(checks(recorder)) >= 3)
    recorder.stop()
    wait_ill(gateway, recorder)
    recorder.resume()
    wait_well(gateway, recorder)


def test_checks_go_to_the_address_that_answers(front, recorders, hosts):
    """As requests do: of a name with several addresses not always the first."""
    hosts.write_text("127.0.0.1 claw.test\n127.0.0.2 claw.test\n")
    recorder = recorders(address=("127.0.0.2", 0))
    gateway = front(upstream(f"http://claw.test:{recorder.port}", health_check=CHECK),
                    hosts=hosts)
    assert gateway.request("GET", "/").status == 200
    wait_until(lambda: len(checks(recorder)) >= 5)
    assert gateway.admin("/readyz").status == 200
    assert gateway.endpoint_health(f"claw.test:{recorder.port}") == 1


def test_the_first_check_waits_for_the_name(front, recorders):
    """A start is no reason to be taken for ill."""
    recorder = recorders()
    for number in range(6):
        gateway = front(upstream(f"http://localhost:{recorder.port}", health_check={
            "path": f"/healthz?{number}", "interval": "5s", "unhealthy_after": 1}))
        wait_until(lambda: [c for c in checks(recorder) if c.target.endswith(str(number))])
        assert gateway.admin("/readyz").status == 200
        assert not gateway.told("upstream endpoint unhealthy")


def test_a_passed_check_ends_an_ejection(front, two):
    """The endpoint is asked and answers: it need not sit out its time."""
    bad, good = two
    bad.on("/", lambda exchange: exchange.reset())
    gateway = front(upstream(*two, balance="round_robin", eject_after=2, health_check=CHECK))
    bad.reply("/healthz", status=ILL)
    while not gateway.told("upstream endpoint ejected"):
        gateway.request("GET", "/")
        if gateway.told("upstream endpoint unhealthy"):
            break
    wait_ill(gateway, bad)
    bad.reset()
    wait_well(gateway, bad)
    assert gateway.endpoint_health(bad) == 1


def test_an_idle_connection_is_no_reason_to_ask_who_is_ill(front, two):
    """There may be one connection: the ill endpoint's idle one has to make room."""
    ill, well = two
    well.stop()
    gateway = front(upstream(*two, balance="round_robin", max_connections=1,
                             health_check={**CHECK, "unhealthy_after": 1}))
    wait_ill(gateway, well)
    assert gateway.request("GET", "/").status == 200
    assert len(others(ill)) == 1
    well.resume()
    wait_well(gateway, well)
    ill.reply("/healthz", status=ILL)
    wait_ill(gateway, ill)
    for _ in range(3):
        assert gateway.request("GET", "/").status == 200
    assert (len(others(ill)), len(others(well))) == (1, 3)


def test_no_request_is_held_up_by_a_check_that_hangs(front, two):
    ill, well = two
    end = threading.Event()
    ill.on("/healthz", lambda exchange: end.wait(10))
    gateway = front(upstream(*two, health_check=CHECK, balance="round_robin"))
    wait_ill(gateway, ill)
    began = time.monotonic()
    with gateway.connect() as wire:
        for _ in range(10):
            assert wire.request("GET", "/").status == 200
    assert time.monotonic() - began < 1 and len(others(well)) == 10
    end.set()
