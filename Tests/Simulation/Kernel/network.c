/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections as Linux's TCP has them (net/ipv4/tcp.c, tcp_input.c): what an end can read, write
 * and poll after data, FIN and RST, and what closing it does.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct link *link_make(const sk_profile *profile, bool is_connected) {
    struct link *link = calloc(1, sizeof *link);
    link->profile = *profile;
    link->number = ++kernel.links_made;
    for (int side = 0; side < 2; side++) {
        struct sk_end *end = &link->ends[side];
        end->link = link;
        end->peer = &link->ends[1 - side];
        end->is_connected = is_connected;
        queue_open(&end->rx, profile->queue_bytes);
        queue_open(&end->tx, profile->queue_bytes);
        end->seen_at_fin = UINT64_MAX;
    }
    kernel.links_open++;
    return link;
}

/* Frees what both users have let go of and no event names any more. */
void link_let_go(struct link *link) {
    if (!link->ends[0].is_closed || !link->ends[1].is_closed || link->events > 0) return;
    for (int side = 0; side < 2; side++) {
        queue_free(&link->ends[side].rx);
        queue_free(&link->ends[side].tx);
    }
    kernel.links_open--;
    free(link);
}

static void notify(struct sk_end *end) {
    if (end->is_world && !end->is_closed && end->actor != 0) {
        sk_wake(end->actor, kernel.now + 1 + sk_below(20 * MICROSECOND));
    }
}

void end_start_moving(struct sk_end *end) {
    if (end->is_moving) return;
    end->is_moving = true;
    schedule_move(end, kernel.now + MICROSECOND + sk_below(end->link->profile.latency_max));
}

/* Bytes that `end`'s user will never see. */
static void lose(struct sk_end *end, const struct queue *queue) {
    if (queue->count == 0) return;
    uint8_t *bytes = malloc(queue->count);
    size_t count = queue_look(queue, bytes, queue->count);
    sk_note_bytes(end->link->number, SK_LOST, bytes, count);
    if (end->is_world && end->actor != 0) kernel.world.lost(end->actor, bytes, count);
    free(bytes);
}

/* tcp_reset */
static void take_reset(struct sk_end *end) {
    if (end->is_dead) return;
    sk_note(end->link->number, SK_RST, end->is_world, 0);
    end->is_dead = true;
    if (!end->is_connected) {
        end->error = ECONNREFUSED;
    } else {
        // CLOSE_WAIT: the other side had finished, this one had not.
        end->error = end->has_read_fin && !end->is_fin_pending ? EPIPE : ECONNRESET;
    }
    end->receive_shut = end->send_shut = true;
    lose(end->peer, &end->tx);
    queue_drop(&end->tx, end->tx.count);
    notify(end);
}

/* Data for an end whose user has closed it: RST goes back, whatever it still had to send. */
static void bounce(struct sk_end *from, struct sk_end *to) {
    lose(to, &from->tx);
    queue_drop(&from->tx, from->tx.count);
    queue_drop(&to->tx, to->tx.count);
    to->is_dead = true;
    to->is_reset_pending = true;
    end_start_moving(to);
}

static void carry(struct sk_end *from, struct sk_end *to) {
    size_t most = 1 + sk_below(from->link->profile.piece_bytes_max);
    size_t count = from->tx.count < most ? from->tx.count : most;
    if (count > queue_room(&to->rx)) count = queue_room(&to->rx);
    if (count == 0) return;
    uint8_t *bytes = malloc(count);
    queue_look(&from->tx, bytes, count);
    queue_append(&to->rx, bytes, count);
    queue_drop(&from->tx, count);
    from->moved += count;
    if (to->is_world && from->tx.count == 0 && from->link->is_upstream
        && sk_one_in(kernel.faults.request_doubled)) {
        queue_append(&to->rx, bytes, count);
    }
    free(bytes);
    sk_note(from->link->number, SK_MOVED, to->is_world, (int64_t)count);
    notify(to);
    notify(from);
}

/* The network moves what the end has sent, as far as it goes. */
void end_move(struct sk_end *end) {
    struct sk_end *to = end->peer;
    end->is_moving = false;
    if (to->is_dead) {
        if (!end->is_reset_pending) lose(to, &end->tx);
        queue_drop(&end->tx, end->tx.count);
        end->is_reset_pending = false;
        return;
    }
    if (to->is_closed && end->tx.count > 0 && !end->is_reset_pending) {
        bounce(end, to);
        return;
    }
    if (!to->is_closed) carry(end, to);
    // A reset waits for nobody to read.
    bool has_room = !to->is_closed && queue_room(&to->rx) > 0;
    if (end->is_reset_pending && (end->tx.count == 0 || !has_room)) {
        queue_drop(&end->tx, end->tx.count);
        end->is_reset_pending = false;
        end->is_dead = true;
        take_reset(to);
        return;
    }
    if (end->tx.count == 0 && end->is_fin_pending && !end->is_fin_sent) {
        end->is_fin_sent = true;
        to->receive_shut = to->has_read_fin = true;
        sk_note(end->link->number, SK_FIN, to->is_world, 0);
        notify(to);
    }
    if (end->is_reset_pending || (end->tx.count > 0 && queue_room(&to->rx) > 0)) {
        end_start_moving(end);
    }
}

/* tcp_recvmsg_locked */
long end_receive(struct sk_end *end, uint8_t *into, size_t count, bool peeks) {
    if (end->rx.count > 0 && count > 0) {
        count = queue_look(&end->rx, into, count);
        if (!peeks) {
            queue_drop(&end->rx, count);
            if (end->peer->tx.count > 0) end_start_moving(end->peer);
        }
        return (long)count;
    }
    if (count == 0 || end->has_read_fin) return 0;
    if (end->error != 0) {
        int error = end->error;
        end->error = 0;
        return -error;
    }
    if (end->receive_shut) return 0;
    return end->is_dead ? -ENOTCONN : -EAGAIN;
}

/* tcp_sendmsg_locked, sk_stream_error */
long end_send(struct sk_end *end, const uint8_t *from, size_t count) {
    if (end->error != 0 || end->send_shut) {
        int error = end->error != 0 ? end->error : EPIPE;
        end->error = 0;
        return -error;
    }
    if (!end->is_connected || queue_room(&end->tx) == 0) return -EAGAIN;
    size_t sent = queue_append(&end->tx, from, count);
    end_start_moving(end);
    return (long)sent;
}

void end_shut(struct sk_end *end) {
    if (end->send_shut) return;
    end->send_shut = true;
    end->is_fin_pending = true;
    end->seen_at_fin = end->peer->moved;
    end_start_moving(end);
}

/* tcp_close: unread data is answered with a reset, and so is lingering for no time. */
void end_close(struct sk_end *end) {
    end->is_closed = true;
    lose(end, &end->rx);
    size_t unread = end->rx.count;
    queue_free(&end->rx);
    if (!end->is_connected || end->is_dead) {
        end->is_dead = true;
        if (!end->is_connected) notify(end->peer);
    } else if (end->resets_on_close || unread > 0) {
        // Of what was sent, the first part may be on its way already.
        if (sk_one_in(2)) {
            size_t stays = sk_below(end->tx.count + 1);
            end->tx.count = stays;
        }
        end->is_reset_pending = true;
        end_start_moving(end);
    } else {
        end_shut(end);
    }
    link_let_go(end->link);
}

/* tcp_poll */
uint32_t end_readiness(const struct sk_end *end) {
    uint32_t bits = 0;
    if ((end->receive_shut && end->send_shut) || end->is_dead) bits |= EPOLLHUP;
    if (end->receive_shut) bits |= EPOLLIN | EPOLLRDHUP;
    if (end->is_connected) {
        if (end->rx.count > 0) bits |= EPOLLIN;
        // sk_stream_is_writeable: a third of what there is, at least.
        if (end->send_shut || queue_room(&end->tx) >= end->tx.count / 2 + 1) bits |= EPOLLOUT;
    } else if (end->is_dead) {
        bits |= EPOLLOUT;
    }
    if (end->error != 0) bits |= EPOLLERR;
    return bits;
}

struct listener *listener_find(uint16_t port, bool is_world) {
    for (int i = 0; i < PORTS_MAX; i++) {
        struct listener *listener = &kernel.listeners[i];
        if (listener->port == port && port != 0 && listener->is_world == is_world) return listener;
    }
    return NULL;
}

void listener_push(struct listener *listener, struct link *link) {
    link->next = NULL;
    if (listener->last != NULL) listener->last->next = link; else listener->first = link;
    listener->last = link;
}

struct link *listener_pop(struct listener *listener) {
    struct link *link = listener->first;
    if (link == NULL) return NULL;
    listener->first = link->next;
    if (listener->first == NULL) listener->last = NULL;
    return link;
}
