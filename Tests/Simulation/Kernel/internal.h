/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the simulated kernel share.
 */
#ifndef SIMULATED_KERNEL_INTERNAL_H
#define SIMULATED_KERNEL_INTERNAL_H

#include "simulated_kernel.h"

#include <sys/types.h>

#define MICROSECOND 1000ull
#define DESCRIPTOR_FIRST 1000000
#define DESCRIPTORS_MAX 8192
#define PORTS_MAX 16

/* Invariant: `count` bytes from `start` on, in a ring of `capacity` bytes. */
struct queue {
    uint8_t *base;
    size_t start, count, capacity;
};

struct link;

struct sk_end {
    struct link *link;
    struct sk_end *peer;
    struct queue rx, tx;
    uint32_t actor;      /* of the world's end */
    bool is_world;
    bool is_connected;
    bool is_closed;      /* its user has let go of it */
    bool is_dead;        /* TCP_CLOSE: reset, by either side */
    bool resets_on_close;
    bool has_read_fin;   /* SOCK_DONE */
    bool receive_shut, send_shut;
    bool is_fin_pending, is_fin_sent, is_reset_pending;
    bool is_moving;      /* a delivery is due */
    int error;           /* sk_err */
    uint64_t moved;      /* bytes of it that have reached the peer */
    uint64_t seen_at_fin; /* bytes of the peer's that were there when it sent FIN */
};

struct link {
    struct sk_end ends[2];
    sk_profile profile;
    uint32_t number, address;
    bool is_upstream;    /* made by the gateway */
    int events;          /* that are due and name it */
    struct link *next;   /* in a listener's queue */
};

struct listener {
    uint16_t port;
    bool is_world;
    uint32_t actor;
    sk_profile profile;
    struct link *first, *last;
};

enum kind { FREE, STREAM, EPOLL, EVENT, LISTENER };

struct descriptor {
    enum kind kind;
    struct sk_end *end;
    struct listener *listener;
    uint64_t counter;
    bool is_watched;
    uint32_t interest;
    uint64_t data;
};

struct kernel {
    bool is_on;
    uint64_t now, random, hash, refused;
    sk_world world;
    sk_faults faults;
    struct descriptor descriptors[DESCRIPTORS_MAX];
    int lowest_free, highest, open;
    struct listener listeners[PORTS_MAX];
    uint32_t links_made;
    int links_open;
};

extern struct kernel kernel;

uint64_t sk_draw(void);
/* From 0 up to, not including. */
uint64_t sk_below(uint64_t bound);
bool sk_one_in(uint32_t chance);
void sk_note_bytes(uint32_t link, int what, const uint8_t *bytes, size_t count);

/* queue.c */
void queue_open(struct queue *queue, size_t capacity);
void queue_free(struct queue *queue);
size_t queue_room(const struct queue *queue);
size_t queue_append(struct queue *queue, const uint8_t *bytes, size_t count);
size_t queue_look(const struct queue *queue, uint8_t *into, size_t count);
void queue_drop(struct queue *queue, size_t count);

/* schedule.c */
void schedule_reset(void);
void schedule_move(struct sk_end *end, uint64_t at);
void schedule_caller(struct listener *listener, uint64_t at);
void run_due(bool with_actors);
/* When the next event is due; UINT64_MAX where there is none. */
uint64_t next_due(void);

/* network.c */
struct link *link_make(const sk_profile *profile, bool is_connected);
void link_let_go(struct link *link);
void end_move(struct sk_end *end);
void end_start_moving(struct sk_end *end);
long end_receive(struct sk_end *end, uint8_t *into, size_t count, bool peeks);
long end_send(struct sk_end *end, const uint8_t *from, size_t count);
void end_shut(struct sk_end *end);
void end_close(struct sk_end *end);
uint32_t end_readiness(const struct sk_end *end);

struct listener *listener_find(uint16_t port, bool is_world);
void listener_push(struct listener *listener, struct link *link);
struct link *listener_pop(struct listener *listener);

#endif
