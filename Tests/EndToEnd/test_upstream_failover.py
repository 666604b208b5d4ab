# SPDX-License-Identifier: Apache-2.0
"""Endpoints that refuse, stall, reset, lie and come back: no request is lost while another could
take it, and none is ever made twice."""

import socket
import threading
import time

import pytest

from support.gateway import upstream
from support.peers import Deaf, Peer, reset
from support.waiting import settle, wait_until
from support.wire import Closed, encode

MIB = 1 << 20


@pytest.fixture
def pair_of(recorders):
    return recorders(), recorders()


def reads_head(connection):
    """Reads to the end of a request's head."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def ask(gateway, count, path="/"):
    """One after another; their verdicts."""
    with gateway.connect() as wire:
        return [wire.request("POST", f"{path}?{n}", body=b"x").verdict for n in range(count)]


def unavailable(response):
    assert response.verdict == (503, "upstream_unavailable")
    assert int(response.get("Retry-After")) >= 1


# Connections that can't be made.

def test_a_refused_connection_sends_the_request_elsewhere(front, pair_of):
    gone, there = pair_of
    gone.stop()
    gateway = front(upstream(gone, there, balance="round_robin"))
    assert ask(gateway, 8) == [(200, None)] * 8
    assert [request.target for request in there.requests] == [f"/?{n}" for n in range(8)]
    assert all(request.body == b"x" for request in there.whole)
    # What counts is what became of the request.
    results = {name: value for name, value in gateway.metrics().items()
               if name.startswith("agentport_upstream_requests_total") and value}
    assert list(results.values()) == [8] and "connect_failed" not in str(results)
    line = gateway.wait_told("upstream not reached")[0]
    assert (line["upstream"], line["endpoint"]) == ("openclaw", gone.label)
    assert line["level"] == "warn" and "refused" in line["reason"].lower()


def test_nobody_there_at_all(front, pair_of):
    for recorder in pair_of:
        recorder.stop()
    gateway = front(upstream(*pair_of))
    for _ in range(3):
        began = time.monotonic()
        unavailable(gateway.request("POST", "/", body=b"x"))
        assert time.monotonic() - began < 1
    assert gateway.metrics()[
        'agentport_upstream_requests_total{result="connect_failed",upstream="openclaw"}'] == 3
    for recorder in pair_of:
        recorder.resume()
    assert ask(gateway, 4) == [(200, None)] * 4


def test_a_body_that_is_on_its_way_goes_elsewhere_whole(front, pair_of):
    """What has come of it was handed to the connection that failed."""
    gone, there = pair_of
    gone.stop()
    gateway = front(upstream(gone, there, balance="round_robin"))
    for number in range(4):
        with gateway.connect() as wire:
            wire.send(encode("POST", f"/{number}", [("Content-Length", "300000")], b"a" * 100000))
            wire.send(b"b" * 200000)
            assert wire.response().json()["length"] == 300000
    assert [r.body for r in there.whole] == [b"a" * 100000 + b"b" * 200000] * 4


def test_an_endpoint_that_does_not_accept(front, recorders):
    there = recorders()
    with Deaf() as deaf:
        gateway = front(upstream(deaf, there, balance="round_robin", connect_timeout="200ms"))
        for number in range(4):
            began = time.monotonic()
            assert gateway.request("POST", f"/{number}", body=b"x").status == 200
            assert time.monotonic() - began < 2
        assert [request.target for request in there.requests] == ["/0", "/1", "/2", "/3"]
        assert gateway.wait_told("upstream not reached", endpoint=deaf.label)


def test_no_endpoint_accepts(front):
    with Deaf() as one, Deaf() as other:
        gateway = front(upstream(one, other, connect_timeout="200ms"))
        began = time.monotonic()
        unavailable(gateway.request("GET", "/"))
        assert 0.35 < time.monotonic() - began < 2


def test_an_endpoint_that_accepts_again(front, recorders):
    with Deaf() as deaf:
        gateway = front(upstream(deaf, connect_timeout="200ms"))
        unavailable(gateway.request("GET", "/"))
    recorder = recorders(address=deaf.address)
    assert gateway.request("GET", "/").status == 200
    assert len(recorder.requests) == 1


# Resets.

def test_reset_before_any_byte_of_the_request(front, recorders):
    """In the TLS handshake, which comes before it."""
    def hang_up(connection):
        connection.recv(1)
        reset(connection)

    there = recorders()
    with Peer(hang_up, "https") as peer:
        gateway = front(upstream(peer, there, balance="round_robin"))
        assert ask(gateway, 4) == [(200, None)] * 4
        assert peer.connections >= 1
    assert [request.target for request in there.requests] == [f"/?{n}" for n in range(4)]


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("body", [None, b"x", b"x" * 200_000], ids=["none", "small", "large"])
def test_lost_after_the_request_was_sent(front, pair_of, end, body):
    """Whether it was acted upon, nobody knows: never again, though another endpoint is there."""
    gateway = front(upstream(*pair_of, balance="round_robin"))
    for recorder in pair_of:
        recorder.on("/die", lambda exchange: getattr(exchange, end)())
    for number in range(1, 5):
        verdict = gateway.request("POST" if body else "GET", "/die", body=body).verdict
        assert verdict == (502, "upstream_bad_response")
        assert sum(len(recorder.at("/die")) for recorder in pair_of) == number


def test_lost_after_the_head_was_read(front, recorders):
    """The client is still sending."""
    there, count = recorders(), []

    def die(connection):
        count.append(reads_head(connection))
        reset(connection)

    with Peer(die) as peer:
        gateway = front(upstream(peer, there, balance="round_robin"))
        with gateway.connect() as wire:
            wire.send(encode("POST", "/", [("Content-Length", "1000000")]))
            wait_until(lambda: count)
            wire.send_all_it_takes(b"x" * 1_000_000)
            assert wire.response().verdict == (502, "upstream_bad_response")
    settle()
    assert len(count) == 1 and there.requests == []


# Ejection.

@pytest.fixture
def failing(front, pair_of):
    """A gateway with an endpoint that fails each request, a good one, and both of them."""
    bad, good = pair_of
    bad.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=3))
    return gateway, bad, good


def eject(gateway, bad):
    """Asks until the bad endpoint is left out."""
    verdicts = []
    while not gateway.told("upstream endpoint ejected"):
        verdicts += ask(gateway, 2)
        settle()
        assert len(verdicts) < 40, "never ejected"
    line, = gateway.told("upstream endpoint ejected")
    assert (line["upstream"], line["endpoint"]) == ("openclaw", bad.label)
    assert line["level"] == "warn"
    return verdicts


def test_an_endpoint_that_fails_is_left_out(failing):
    gateway, bad, good = failing
    verdicts = eject(gateway, bad)
    assert verdicts.count((502, "upstream_bad_response")) == 3 == len(bad.requests)
    assert (gateway.endpoint_health(bad), gateway.endpoint_health(good)) == (0, 1)
    assert gateway.admin("/readyz").status == 200
    with bad.untouched():
        assert ask(gateway, 20) == [(200, None)] * 20


@pytest.mark.long
def test_an_ejected_endpoint_is_back_after_ten_seconds_and_out_at_its_next_failure(failing):
    gateway, bad, good = failing
    eject(gateway, bad)
    began = time.monotonic()
    before = len(bad.requests)
    wait_until(lambda: gateway.endpoint_health(bad) == 1, timeout=15, interval=0.1)
    assert 8 < time.monotonic() - began < 12
    assert len(bad.requests) == before
    ask(gateway, 2)
    assert len(bad.requests) == before + 1
    assert len(gateway.wait_told("upstream endpoint ejected", 2)) == 2
    assert gateway.endpoint_health(bad) == 0


@pytest.mark.long
def test_an_ejected_endpoint_that_has_recovered_stays(failing):
    gateway, bad, good = failing
    eject(gateway, bad)
    bad.reset()
    wait_until(lambda: gateway.endpoint_health(bad) == 1, timeout=15, interval=0.1)
    assert ask(gateway, 8) == [(200, None)] * 8
    assert len(bad.requests) == 4
    # The failures before are forgotten: it takes three again.
    bad.on("*", lambda exchange: exchange.reset())
    ask(gateway, 4)
    assert len(gateway.told("upstream endpoint ejected")) == 1


def test_the_last_endpoint_is_never_left_out(front, pair_of):
    for recorder in pair_of:
        recorder.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(*pair_of, balance="round_robin", eject_after=2))
    ask(gateway, 20)
    assert sum(gateway.endpoint_health(recorder) for recorder in pair_of) == 1
    assert gateway.admin("/readyz").status == 200
    for recorder in pair_of:
        recorder.reset()
    assert ask(gateway, 2) == [(200, None)] * 2


def test_an_only_endpoint_is_never_left_out(front, recorders):
    only = recorders()
    only.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(only, eject_after=1))
    assert ask(gateway, 5) == [(502, "upstream_bad_response")] * 5
    assert gateway.endpoint_health(only) == 1 and not gateway.told("upstream endpoint ejected")
    only.reset()
    assert ask(gateway, 1) == [(200, None)]


@pytest.mark.parametrize("status, counts", [
    ("502 Bad Gateway", True), ("503 Service Unavailable", True), ("504 Gateway Timeout", True),
    ("500 Internal Server Error", False), ("429 Too Many Requests", False),
    ("404 Not Found", False)])
def test_answers_that_count_as_failures(front, pair_of, status, counts):
    bad, good = pair_of
    bad.reply("*", b"own words", status=status)
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=2))
    answers = [gateway.request("GET", "/") for _ in range(8)]
    own = [answer for answer in answers if answer.status != 200]
    assert all(a.body == b"own words" and str(a.status) == status[:3] for a in own)
    assert len(own) == (2 if counts else 4)
    assert gateway.endpoint_health(bad) == (0 if counts else 1)


def test_refused_connections_and_stalls_count_as_failures(front, recorders):
    good = recorders()
    stalled = recorders()
    stalled.on("*", lambda exchange: reads_head(exchange.connection.socket))
    gateway = front(upstream(stalled, good, balance="round_robin", eject_after=2,
                             first_byte_timeout="150ms"))
    verdicts = ask(gateway, 4)
    assert verdicts.count((504, "upstream_timeout")) == 2
    assert gateway.endpoint_health(stalled) == 0
    assert ask(gateway, 4) == [(200, None)] * 4


def test_a_success_makes_the_failures_forgotten(front, pair_of):
    bad, good = pair_of
    bad.on("/die", lambda exchange: exchange.reset())
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=2))
    for _ in range(4):
        ask(gateway, 2, "/die")
        ask(gateway, 2, "/live")
    assert len(bad.at("/die")) == 4 and len(bad.at("/live")) == 4
    assert gateway.endpoint_health(bad) == 1 and not gateway.told("upstream endpoint ejected")


def _by(scheme, front, recorders, authority):
    """An upstream that speaks TLS or does not, and a gateway before it."""
    if scheme == "http":
        recorder, members = recorders(), {}
    else:
        recorder = recorders(tls=authority.server(authority.ecdsa))
        members = {"tls": {"ca": str(authority.path)}}
    return recorder, front(upstream(recorder, **members), limits={"body": "64MiB"})


# Pooled connections.

@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_upstream_that_restarts_between_two_requests(front, recorders, authority, scheme):
    recorder, gateway = _by(scheme, front, recorders, authority)
    with gateway.connect() as wire:
        for number in range(20):
            assert wire.request("POST", f"/{number}", body=b"x").status == 200
            recorder.stop()
            recorder.hang_up()
            recorder.resume()
    assert [request.target for request in recorder.requests] == [f"/{n}" for n in range(20)]
    assert recorder.connections == 20


def test_many_pooled_connections_that_all_end_at_once(front, pair_of):
    """Then the next requests come at once, too: none meets two dead connections in a row."""
    gateway = front(upstream(*pair_of))
    wires = [gateway.connect() for _ in range(24)]
    total = 0
    for turn in range(5):
        for recorder in pair_of:
            recorder.on(f"/{turn}", lambda exchange: (settle(), exchange.reply())[1])
        for wire in wires:
            wire.send(encode("POST", f"/{turn}", body=b"x"))
        assert [wire.response().status for wire in wires] == [200] * 24
        total += 24
        assert sum(len(recorder.whole) for recorder in pair_of) == total
        for recorder in pair_of:
            recorder.hang_up()
    for wire in wires:
        wire.close()


def test_idle_connections_that_are_reset(front, recorders):
    recorder = recorders()
    waits = threading.Event()

    def answer(exchange):
        exchange.reply()
        waits.wait(0.01)
        exchange.reset()

    recorder.on("*", answer)
    gateway = front(upstream(recorder))
    with gateway.connect() as wire:
        for number in range(20):
            assert wire.request("POST", f"/{number}", body=b"x").status == 200
            wait_until(lambda: recorder.open_connections == 0)
    assert [request.target for request in recorder.requests] == [f"/{n}" for n in range(20)]


# Answers that come early.

@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("framing", ["length", "until close"])
def test_an_answer_in_the_middle_of_an_upload(front, recorders, authority, scheme, framing):
    """The rest is never read: the upstream's close is a reset, right behind its answer."""
    def refuse(exchange):
        exchange.connection._exactly(100_000, lambda _: None)
        if framing == "length":
            exchange.reply(b"too much", status="413 Content Too Large",
                           headers=[("Connection", "close")])
        else:
            exchange.send(b"HTTP/1.1 413 Content Too Large\r\n\r\ntoo much")
        # TLS says farewell by an alert; a reset right behind it must not undo it.
        if scheme == "https":
            exchange.connection.socket.settimeout(0.2)
            try:
                exchange.connection.socket.unwrap()
            except OSError:
                pass
        exchange.cut()

    recorder, gateway = _by(scheme, front, recorders, authority)
    recorder.on("/up", refuse, at="head")
    for number in range(1, 6):
        with gateway.connect() as wire:
            head = encode("POST", "/up", [("Content-Length", str(10 * MIB))])
            wire.send_until_answered(head + b"x" * 10 * MIB)
            if framing == "length":
                response = wire.response()
                assert (response.status, response.body) == (413, b"too much")
            else:
                # Cut by a reset it cannot be told from whole: the client may get it or see a cut.
                assert wire.head().status == 413
        assert len(recorder.at("/up")) == number
    assert gateway.request("GET", "/").status == 200


# Upstreams that stall.

@pytest.fixture
def stalling(recorders):
    """An upstream that answers nothing until the test has ended."""
    recorder, end = recorders(), threading.Event()
    recorder.on("/stall", lambda exchange: end.wait(20))
    recorder.on("/half", lambda exchange: (exchange.send(b"HTTP/1.1 200 O"), end.wait(20)))
    yield recorder
    end.set()


@pytest.mark.parametrize("target", ["/stall", "/half"])
def test_no_answer_in_time(front, stalling, target):
    gateway = front(upstream(stalling, first_byte_timeout="300ms"))
    for _ in range(2):
        began = time.monotonic()
        assert gateway.request("POST", target, body=b"x").verdict == (504, "upstream_timeout")
        assert 0.25 < time.monotonic() - began < 2
    assert len(stalling.requests) == 2
    assert gateway.request("GET", "/").status == 200


def test_a_route_says_how_long_an_answer_may_take(front, stalling):
    pause = threading.Event()
    stalling.on("/long/x", lambda exchange: (pause.wait(0.8), exchange.reply())[1])
    gateway = front(
        upstream(stalling, first_byte_timeout="400ms"),
        routes=[{"path": "/", "timeouts": {"first_byte": "150ms"}},
                {"path": "/long/", "timeouts": {"first_byte": "5s"}}])
    began = time.monotonic()
    assert gateway.request("GET", "/stall").verdict == (504, "upstream_timeout")
    assert 0.1 < time.monotonic() - began < 0.4
    assert gateway.request("GET", "/long/x").status == 200


HALF_REQUESTS = {
    "within a length": ([("Content-Length", "3")], b"a", b"bc"),
    "within a chunk": ([("Transfer-Encoding", "chunked")], b"3\r\na", b"bc\r\n0\r\n\r\n"),
    "within a chunk's size": ([("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0", b"\r\n\r\n"),
    "within a trailer": ([("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0\r\nX-Sum: 4",
                         b"2\r\n\r\n"),
}


@pytest.mark.parametrize("headers, half, rest", HALF_REQUESTS.values(), ids=HALF_REQUESTS.keys())
def test_a_client_that_pauses_in_its_upload_is_not_the_upstreams_fault(
        front, pair_of, headers, half, rest):
    """The upstream owes no answer to a request that it does not have yet."""
    gateway = front(upstream(*pair_of, first_byte_timeout="150ms", eject_after=1),
                    limits={"body_timeout": "600ms"})
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", headers, half))
        threading.Event().wait(0.35)
        wire.send(rest)
        response = wire.response()
        assert response.status == 200 and response.json()["length"] == 3
    with gateway.connect() as wire:
        began = time.monotonic()
        wire.send(encode("POST", "/", headers, half))
        assert wire.response().verdict == (408, "request_timeout")
        assert 0.5 < time.monotonic() - began < 2
    assert not gateway.told("upstream endpoint ejected")


def test_an_upstream_that_does_not_say_go_on(front, stalling):
    """The client waits for it with its body, as it may (RFC 9110 §10.1.1)."""
    end = threading.Event()
    stalling.on("/mute", lambda exchange: (end.wait(5), exchange.cut()), at="head")
    gateway = front(upstream(stalling, first_byte_timeout="300ms"),
                    limits={"body_timeout": "5s"})
    expecting = [("Expect", "100-continue"), ("Content-Length", "3")]
    with gateway.connect() as wire:
        wire.send(encode("POST", "/mute", expecting))
        assert wire.response().verdict == (504, "upstream_timeout")
    end.set()
    # Told to go on, the client has its own time for it.
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", expecting))
        assert wire.head().status == 100
        threading.Event().wait(0.5)
        wire.send(b"abc")
        assert wire.response().json()["length"] == 3


def test_an_upstream_that_does_not_read_the_body(front, recorders):
    there = recorders()
    end = threading.Event()

    def stall(connection):
        reads_head(connection)
        end.wait(10)

    with Peer(stall) as peer:
        gateway = front(upstream(peer, first_byte_timeout="300ms"), limits={"body": "64MiB"})
        with gateway.connect() as wire:
            wire.send_until_answered(
                encode("POST", "/", [("Content-Length", str(20 * MIB))]) + b"x" * 20 * MIB)
            assert wire.response().verdict == (504, "upstream_timeout")
        end.set()
    assert there.requests == []


# Answers that pause.

def events(count, seconds, end=True):
    """A handler that sends so many events so far apart."""
    pause = threading.Event()

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(count):
            if number:
                pause.wait(seconds)
            exchange.send(b"7\r\ndata:%d\n\r\n" % (number % 10))
        if end:
            exchange.send(b"0\r\n\r\n")
        else:
            exchange.connection.socket.settimeout(10)
            exchange.connection.socket.recv(1)
            exchange.cut()
    return stream


@pytest.fixture
def pausing(front, recorders):
    recorder = recorders()
    gateway = front(
        upstream(recorder, first_byte_timeout="200ms"),
        routes=[{"path": "/"}, {"path": "/idle/", "timeouts": {"idle": "300ms"}}])
    return gateway, recorder


def test_an_answer_that_pauses_too_long_is_cut(pausing):
    gateway, recorder = pausing
    recorder.on("/idle/x", events(3, 0.01, end=False))
    with gateway.connect() as wire:
        wire.send(encode("GET", "/idle/x"))
        assert wire.head().status == 200
        began = time.monotonic()
        with pytest.raises(Closed) as closed:
            while True:
                wire.exactly(1)
        assert not closed.value.clean
        assert 0.2 < time.monotonic() - began < 2
    line, = gateway.wait_access(path="/idle/x")
    assert line["code"] != "ok"
    wait_until(lambda: recorder.open_connections == 0)
    assert gateway.request("GET", "/").status == 200


def test_a_pause_in_a_close_delimited_answer_does_not_look_like_its_end(pausing):
    gateway, recorder = pausing
    end = threading.Event()
    recorder.on("/idle/x", lambda exchange: (
        exchange.send(b"HTTP/1.0 200 OK\r\n\r\nhalf"), end.wait(5)))
    with gateway.connect() as wire:
        wire.send(encode("GET", "/idle/x", version="1.0"))
        with pytest.raises(Closed) as closed:
            wire.response()
        assert not closed.value.clean
    end.set()


def test_an_answer_whose_events_come_in_time_lives_on(pausing):
    gateway, recorder = pausing
    recorder.on("/idle/x", events(12, 0.12))
    began = time.monotonic()
    assert len(gateway.request("GET", "/idle/x").body) == 12 * 7
    assert time.monotonic() - began > 1.2


def test_an_answer_may_pause_where_nothing_is_said(pausing):
    gateway, recorder = pausing
    recorder.on("/x", events(2, 1.5))
    assert gateway.request("GET", "/x").body == b"data:0\ndata:1\n"


def test_a_slow_reader_is_not_the_answers_pause(pausing):
    """The upstream has sent what it can; that the client does not take it is no pause."""
    gateway, recorder = pausing
    body = bytes(range(256)) * 80_000
    recorder.reply("/idle/x", body)
    with gateway.connect() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.send(encode("GET", "/idle/x"))
        threading.Event().wait(1)
        assert wire.response().body == body
