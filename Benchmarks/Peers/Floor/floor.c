/* SPDX-License-Identifier: Apache-2.0
 *
 * About the least that a reverse proxy with TLS can do for a request, and so what the others are
 * held against: TLS 1.3 by OpenSSL towards the client, a connection from a pool towards the
 * upstream, the bytes of both copied as they come. One thread, one epoll set, one read and one
 * write a side and request.
 *
 * It leaves out what makes a proxy fit for use:
 *   - of HTTP/1.1 it looks only for the end of a message: the empty line, `content-length`, and
 *     `connection: close` of a request. No chunked bodies, no pipelining, no HEAD, nothing is
 *     checked, and no field is added or taken away;
 *   - a head has to come in one piece: one that does not ends the connection;
 *   - no timeouts, no limits, no log, no configuration, no second try on a pooled connection that
 *     has been closed;
 *   - a side that does not take what is written to it stops everything until it does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, EVENTS_MAX = 256, BACKLOG = 4096 };

/* One connection of either side. */
struct end {
    int socket;
    bool is_gone;
    /* A client's; NULL of an upstream's. */
    SSL *tls;
    bool has_shaken_hands;
    /* Whether the client asked for no more than this answer. */
    bool is_last;
    /* While a request is in flight: who gets what comes here. */
    struct end *other;
    /* Bytes of the message that have not come; at 0 a head comes next. */
    size_t left;
    /* The next one that is free, or of those to be freed after this turn. */
    struct end *next;
};

static int events;
static SSL_CTX *context;
static struct sockaddr_in upstream_address;
static struct end *idle_upstreams, *gone;
static char buffer[BUFFER_BYTES];

static struct end *new_end(int socket) {
    struct end *end = calloc(1, sizeof *end);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};
    int on = 1;
    if (end == NULL) abort();
    end->socket = socket;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(events, EPOLL_CTL_ADD, socket, &event);
    return end;
}

/* Ends a connection and the one it is paired with. The memory stays until the turn is over: an
   event for it may still wait in the list. */
static void drop(struct end *end) {
    struct end *other = end->other;
    if (end->is_gone) return;
    end->is_gone = true;
    if (end->tls == NULL) {
        struct end **place = &idle_upstreams;
        while (*place != NULL && *place != end) place = &(*place)->next;
        if (*place == end) *place = end->next;
    } else {
        if (end->has_shaken_hands) SSL_shutdown(end->tls);
        SSL_free(end->tls);
        /* What is left there would be taken for the next connection's. */
        ERR_clear_error();
    }
    close(end->socket);
    end->next = gone;
    gone = end;
    if (other != NULL) drop(other);
}

/* The bytes of the message that begins here, head and content; 0 where the head is not whole. */
static size_t message_bytes(const char *text, size_t count, bool *is_last) {
    static const char length[] = "content-length:", last[] = "connection: close";
    const char *line = text, *end = text + count;
    size_t content = 0;
    *is_last = false;
    for (;;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (feed == NULL) return 0;
        if (feed == line + 1 && *line == '\r') return (size_t)(feed + 1 - text) + content;
        if ((*line | 0x20) == 'c' && (size_t)(feed - line) >= sizeof length) {
            if (strncasecmp(line, length, sizeof length - 1) == 0)
                content = strtoul(line + sizeof length - 1, NULL, 10);
            else if (strncasecmp(line, last, sizeof last - 1) == 0)
                *is_last = true;
        }
        line = feed + 1;
    }
}

static struct end *take_upstream(void) {
    struct end *upstream = idle_upstreams;
    if (upstream != NULL) {
        idle_upstreams = upstream->next;
        return upstream;
    }
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number < 0) return NULL;
    if (connect(number, (struct sockaddr *)&upstream_address, sizeof upstream_address) != 0) {
        close(number);
        return NULL;
    }
    return new_end(number);
}

static bool write_sealed(struct end *client, const char *bytes, size_t count) {
    for (;;) {
        int written = SSL_write(client->tls, bytes, (int)count);
        if (written > 0) return true;
        if (SSL_get_error(client->tls, written) != SSL_ERROR_WANT_WRITE) return false;
        struct pollfd wait = {.fd = client->socket, .events = POLLOUT};
        poll(&wait, 1, -1);
    }
}

/* Plaintext of a client, on its way to the upstream. */
static bool forward(struct end *client, const char *bytes, size_t count) {
    if (client->left == 0) {
        if (client->other != NULL) return false;
        client->left = message_bytes(bytes, count, &client->is_last);
        client->other = take_upstream();
        if (client->other == NULL) return false;
        client->other->other = client;
    }
    if (count > client->left) return false;
    client->left -= count;
    /* This socket waits by itself until all has been taken. */
    return send(client->other->socket, bytes, count, 0) == (ssize_t)count;
}

static void from_client(struct end *client) {
    if (!client->has_shaken_hands) {
        int done = SSL_accept(client->tls);
        if (done != 1) {
            if (SSL_get_error(client->tls, done) != SSL_ERROR_WANT_READ) drop(client);
            return;
        }
        client->has_shaken_hands = true;
        /* What came behind the handshake has been read into the library's buffer. */
        if (!SSL_has_pending(client->tls)) return;
    }
    do {
        int count = SSL_read(client->tls, buffer, sizeof buffer);
        if (count <= 0) {
            if (SSL_get_error(client->tls, count) != SSL_ERROR_WANT_READ) drop(client);
            return;
        }
        if (!forward(client, buffer, (size_t)count)) return drop(client);
    } while (SSL_has_pending(client->tls));
}

static void from_upstream(struct end *upstream) {
    bool is_last;
    struct end *client = upstream->other;
    ssize_t count = recv(upstream->socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 || client == NULL) return drop(upstream);
    if (upstream->left == 0) upstream->left = message_bytes(buffer, (size_t)count, &is_last);
    if ((size_t)count > upstream->left || !write_sealed(client, buffer, (size_t)count))
        return drop(upstream);
    upstream->left -= (size_t)count;
    if (upstream->left > 0) return;
    client->other = upstream->other = NULL;
    upstream->next = idle_upstreams;
    idle_upstreams = upstream;
    if (client->is_last) drop(client);
}

static void accept_all(int listener) {
    int number;
    while ((number = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct end *client = new_end(number);
        client->tls = SSL_new(context);
        if (client->tls == NULL) abort();
        SSL_set_fd(client->tls, number);
    }
}

static SSL_CTX *make_context(const char *certificate, const char *key) {
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    if (made == NULL || SSL_CTX_use_certificate_chain_file(made, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1)
        return NULL;
    SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
    SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* One read a record instead of one for its head and one for the rest. */
    SSL_CTX_set_read_ahead(made, 1);
    /* One is enough to resume with, and each costs. */
    SSL_CTX_set_num_tickets(made, 1);
    return made;
}

int main(int count, char **words) {
    if (count != 5) {
        fprintf(stderr, "usage: %s PORT UPSTREAM-PORT CERTIFICATE KEY\n", words[0]);
        return 2;
    }
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    upstream_address = own;
    upstream_address.sin_port = htons(atoi(words[2]));
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if ((context = make_context(words[3], words[4])) == NULL) {
        fprintf(stderr, "%s: the certificate or the key is of no use\n", words[0]);
        return 1;
    }
    events = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[EVENTS_MAX], listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, BACKLOG) != 0
        || epoll_ctl(events, EPOLL_CTL_ADD, listener, &listening) != 0) {
        perror(words[0]);
        return 1;
    }
    for (;;) {
        int n = epoll_wait(events, ready, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            struct end *end = ready[i].data.ptr;
            if (end == NULL) accept_all(listener);
            else if (!end->is_gone) end->tls == NULL ? from_upstream(end) : from_client(end);
        }
        for (struct end *end; (end = gone) != NULL; free(end)) gone = end->next;
    }
}
