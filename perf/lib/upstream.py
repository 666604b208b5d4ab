#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The least upstream that does: keep-alive, one fixed answer a request, no parsing to speak of.

Prints the port it listens on and serves until its standard input ends, so that it never outlives
whoever started it.
"""

import select
import socket
import sys

ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-cache\r\n"
          b"Server: upstream\r\nContent-Length: 28\r\n\r\n{\"result\":\"sunny\",\"ok\":true}")
HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length: "


def request_length(data):
    """How long the first request in `data` is, or 0 where its head is incomplete."""
    end = data.find(HEAD_END)
    if end < 0:
        return 0
    at = data[:end].lower().find(LENGTH)
    body = 0 if at < 0 else int(data[at + len(LENGTH):].split(b"\r", 1)[0])
    return end + len(HEAD_END) + body


class Upstream:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.peers = {}
        self.unread = {}

    def run(self):
        print(self.listener.getsockname()[1], flush=True)
        while True:
            for number, _ in self.poll.poll():
                if number == sys.stdin.fileno():
                    return
                if number == self.listener.fileno():
                    self.accept()
                else:
                    self.answer(number)

    def accept(self):
        peer, _ = self.listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peers[peer.fileno()] = peer
        self.unread[peer.fileno()] = b""
        self.poll.register(peer, select.EPOLLIN)

    def answer(self, number):
        peer = self.peers[number]
        try:
            received = peer.recv(65536)
        except OSError:
            received = b""
        if not received:
            self.poll.unregister(number)
            del self.peers[number], self.unread[number]
            peer.close()
            return
        data = self.unread[number] + received
        while 0 < (length := request_length(data)) <= len(data):
            data = data[length:]
            peer.sendall(ANSWER)
        self.unread[number] = data


if __name__ == "__main__":
    Upstream().run()
