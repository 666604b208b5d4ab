# SPDX-License-Identifier: Apache-2.0
"""Handshakes and connections that end, or do not: alerts, cuts, stalls, new keys (RFC 8446)."""

import contextlib
import socket
import struct
import time

import pytest

from support.gateway import Gateway, MANY_CLIENTS
from support.tls13 import Alerted, Client
from support.tls13_codec import (ALERT, ALERT_CODES, APPLICATION, HANDSHAKE, KEY_UPDATE,
                                 NEW_SESSION_TICKET, message)
from support.tls13_hello import client_hello
from support.tls13_stages import STAGES, at_stage

pytestmark = pytest.mark.usefixtures("still_serves")
# An alert within a message is tried in test_tls_records.py.
STARTED = ["retry", "server hello", "flight", "finished"]
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


@pytest.fixture
def open_client(client):
    client.connect().await_ticket()
    return client


def ends_quietly(client, within=2):
    """The server says no more but what was on its way, and close_notify at most."""
    assert client.refusal(within) in {"close_notify", "cut"}


# Alerts of the client's (section 6).

@pytest.mark.parametrize("name", ["handshake_failure", "internal_error", "decrypt_error",
                                  "bad_certificate", "certificate_required"])
@pytest.mark.parametrize("stage", STARTED)
def test_a_fatal_alert_ends_the_connection(client, stage, name):
    at_stage(client, stage).alert(name)
    ends_quietly(client)


def test_a_fatal_alert_of_a_client_that_has_not_read_the_hello(client):
    """It comes in the clear when the server expects a protected one already."""
    at_stage(client, "hello").alert("internal_error")
    assert client.refusal() in {"close_notify", "cut", "unexpected_message", "bad_record_mac"}


@pytest.mark.parametrize("name", ["handshake_failure", "bad_certificate"])
def test_the_level_of_an_error_means_nothing(client, name):
    """Section 6: alerts are known by their description; a warning of this kind is an end too."""
    at_stage(client, "flight").alert(name, level=1)
    assert client.refusal() in {"close_notify", "cut", "unexpected_message"}


@pytest.mark.parametrize("stage", STARTED)
@pytest.mark.parametrize("cancelled", [False, True], ids=["close_notify", "user_canceled"])
def test_a_client_takes_its_leave(client, stage, cancelled):
    at_stage(client, stage)
    if cancelled:
        client.alert("user_canceled", level=1)
    client.alert("close_notify", level=1)
    ends_quietly(client)


def test_user_canceled_alone_changes_nothing(client):
    """Section 6.1: it announces a close_notify, and is none."""
    at_stage(client, "flight").alert("user_canceled", level=1)
    assert client.outcome() in {"served", "unexpected_message"}


def test_a_flood_of_warnings_ends(client):
    at_stage(client, "finished").await_ticket()
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            client.alert("user_canceled", level=1)
    assert client.refusal() in {"unexpected_message", "cut"}


@pytest.mark.parametrize("content", [b"\x02", b"\x02\x28\x00", b"\x02\x28" * 2], ids=len)
def test_an_alert_of_another_length(client, content):
    """Section 5.1: one alert a record, whole."""
    at_stage(client, "flight").send(ALERT, content)
    assert client.refusal() in {"unexpected_message", "decode_error", "illegal_parameter", "cut"}


@pytest.mark.parametrize("content", [b"\x02\xff", b"\x00\x28", b"\xff\xff"], ids=repr)
def test_an_alert_that_is_not_in_the_list(client, content):
    """Section 6.2: an unknown one is an error alert."""
    at_stage(client, "flight").send(ALERT, content)
    assert client.refusal() in {"close_notify", "cut", "illegal_parameter", "decode_error",
                                "unexpected_message"}


@pytest.mark.parametrize("name", [n for n in sorted(ALERT_CODES) if n not in (
    "close_notify", "user_canceled", "no_renegotiation")])
def test_every_error_alert_ends_an_open_connection(open_client, name):
    open_client.alert(name)
    ends_quietly(open_client)


def test_close_notify_is_answered_by_one(open_client):
    assert open_client.get() == 200
    open_client.alert("close_notify", level=1)
    assert open_client.refusal() == "close_notify"


def test_what_was_asked_before_a_close_notify_is_answered(open_client):
    """Section 6.1: it closes one direction only."""
    open_client.ask()
    open_client.alert("close_notify", level=1)
    assert open_client.answer() == 200
    assert open_client.refusal() == "close_notify"


def test_nothing_is_taken_after_a_close_notify(open_client, recorder):
    with recorder.untouched():
        open_client.alert("close_notify", level=1)
        with contextlib.suppress(ConnectionError):
            open_client.send(APPLICATION, b"GET /public/late HTTP/1.1\r\nHost: a\r\n\r\n")
        ends_quietly(open_client)


def test_the_server_closes_with_close_notify(open_client):
    open_client.send(APPLICATION, REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert open_client.answer() == 200
    assert open_client.refusal() == "close_notify"


# Cuts.

@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("how", ["fin", "half", "reset"])
def test_a_connection_cut_at_any_stage(client, stage, how):
    at_stage(client, stage)
    if how == "reset":
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half":
        client.socket.shutdown(socket.SHUT_WR)
        client.socket.settimeout(2)
        with contextlib.suppress(ConnectionError):
            while client.socket.recv(65536):
                pass
    client.socket.close()


@pytest.mark.parametrize("stage", ["hello", "server hello"])
def test_hundreds_of_half_open_handshakes(gateway, stage):
    """They hold what they hold, and the next client is served."""
    with contextlib.ExitStack() as waiting:
        clients = [at_stage(waiting.enter_context(Client(gateway.address)), stage)
                   for _ in range(300)]
        with Client(gateway.address) as client:
            assert client.connect().get() == 200
        assert clients[0].outcome() == clients[-1].outcome() == "served"


# Stalls.

@pytest.fixture(scope="module")
def impatient(tmp_path_factory, authority, module_recorder):
    gateway = Gateway(tmp_path_factory.mktemp("impatient"), authority).from_policy(
        module_recorder.url, {"listen": {"limits": {"header_timeout": "1s"}}}).start()
    yield gateway
    assert gateway.stop() == 0


def test_a_handshake_that_stops_anywhere_is_cut(impatient):
    """Once the handshake is over another clock runs: that of an idle connection."""
    with contextlib.ExitStack() as waiting:
        began = time.monotonic()
        clients = [at_stage(waiting.enter_context(Client(impatient.address)), stage)
                   for stage in STAGES[:-1]]
        for client in clients:
            client.refusal(within=4)
            assert 0.8 < time.monotonic() - began < 4


def test_a_hello_in_drops_is_cut(impatient):
    """A byte now and then buys no time."""
    with Client(impatient.address) as client:
        began, encoded = time.monotonic(), client_hello().encode()
        client.hello = client_hello()
        with contextlib.suppress(ConnectionError):
            for at in range(20):
                client.send(HANDSHAKE, encoded[at:at + 1])
                time.sleep(0.25)
        assert time.monotonic() - began < 4
        client.refusal()


# New keys (section 4.6.3).

@pytest.mark.parametrize("answered", [0, 1], ids=["not requested", "requested"])
def test_a_key_update(open_client, answered):
    for _ in range(3):
        open_client.update_key(request=answered)
        assert open_client.get() == 200
    assert open_client.key_updates == [0] * (3 * answered)


@pytest.mark.parametrize("request_back", [0, 1])
def test_a_key_update_within_a_request(open_client, request_back):
    open_client.send(APPLICATION, REQUEST[:20])
    open_client.update_key(request_back)
    open_client.send(APPLICATION, REQUEST[20:])
    assert open_client.answer() == 200


def test_a_key_update_within_an_answer(open_client, recorder):
    recorder.reply("/public/large", b"x" * (4 << 20))
    open_client.ask("/public/large")
    open_client.update_key(request=1)
    assert open_client.answer() == 200
    assert open_client.key_updates == [0]
    assert open_client.get() == 200


def test_a_key_update_cut_into_records(open_client):
    for byte in message(KEY_UPDATE, b"\x01"):
        open_client.send(HANDSHAKE, bytes([byte]))
    open_client.writes = open_client.writes.next()
    assert open_client.get() == 200


@pytest.mark.parametrize("body, alerts", [
    (b"\x02", {"illegal_parameter"}), (b"\xff", {"illegal_parameter"}), (b"", {"decode_error"}),
    (b"\x00\x00", {"decode_error"})], ids=["two", "255", "none", "long"])
def test_a_key_update_that_is_none(open_client, body, alerts):
    open_client.send(HANDSHAKE, message(KEY_UPDATE, body))
    assert open_client.refusal() in alerts


def test_data_under_the_old_keys_after_a_key_update(open_client):
    old = open_client.writes
    open_client.update_key()
    open_client.raw(old.seal(APPLICATION, REQUEST))
    assert open_client.refusal() == "bad_record_mac"


def test_a_flood_of_key_updates(open_client):
    """Each costs a derivation, and an answer where one is asked for: there may be a limit."""
    with contextlib.suppress(ConnectionError):
        for _ in range(2000):
            open_client.update_key(request=1)
    try:
        assert open_client.get() == 200
    except (Alerted, ConnectionError):
        pass


def test_tickets_come_once(open_client):
    """After the handshake the server speaks of tickets, and of nothing else unasked."""
    for _ in range(3):
        assert open_client.get() == 200
    kinds = [content[0] for kind, content in open_client.seen if kind == HANDSHAKE]
    assert 1 <= kinds.count(NEW_SESSION_TICKET) <= 2
    assert open_client.key_updates == []
