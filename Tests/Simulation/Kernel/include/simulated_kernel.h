/* SPDX-License-Identifier: Apache-2.0
 *
 * A small kernel: stream sockets, epoll, eventfd and clocks, in virtual time and by a seed. It
 * takes the place of libc's calls by defining them (calls.c), so that the code that makes them is
 * the gateway's own. Descriptors that are not of this kernel go to the real one.
 *
 * A connection has two ends. The gateway holds one by a descriptor; the world holds the other by
 * a pointer, and is told by a wake-up of its actor that something has changed.
 */
#ifndef SIMULATED_KERNEL_H
#define SIMULATED_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sk_end sk_end;

/* How a connection moves its bytes. */
typedef struct {
    uint32_t queue_bytes;      /* each of the two queues of each end */
    uint32_t piece_bytes_max;  /* moved at once, at most */
    uint32_t latency_max;      /* nanoseconds */
} sk_profile;

/* Faults of the kernel itself, each as "one in so many"; 0 for never. */
typedef struct {
    uint32_t socket_refused;     /* socket: EMFILE */
    uint32_t connect_refused;    /* connect: ENETUNREACH, at once */
    uint32_t accept_aborted;     /* accept4: ECONNABORTED */
    uint32_t accept_exhausted;   /* accept4: EMFILE */
    uint32_t wait_interrupted;   /* epoll_wait: EINTR */
    uint32_t request_doubled;    /* sabotage: bytes for an upstream arrive twice */
} sk_faults;

/* What happened, for the trace. */
enum {
    SK_CONNECT = 1, SK_ACCEPT, SK_RECV, SK_SEND, SK_SHUTDOWN, SK_CLOSE, SK_MOVED, SK_FIN, SK_RST,
    SK_READY, SK_WORLD_RECV, SK_WORLD_SEND, SK_WORLD_SHUTDOWN, SK_WORLD_CLOSE, SK_LOST,
    SK_TIMEOUT, SK_DOOM, SK_CALL, SK_CALL_END, SK_ARRIVAL, SK_ANSWER, SK_ANSWER_END
};

typedef struct {
    void (*wake)(uint32_t actor);
    /* Bytes for the actor's end that it has never read, and never will. */
    void (*lost)(uint32_t actor, const uint8_t *bytes, size_t count);
    /* Each event, where it is set. */
    void (*trace)(uint32_t link, int what, int64_t a, int64_t b);
} sk_world;

/* Begins anew. All descriptors must have been closed. */
void sk_start(uint64_t seed, const sk_world *world);
/* From now on; there are none before. */
void sk_set_faults(const sk_faults *faults);
/* Nanoseconds since an arbitrary start. */
uint64_t sk_now(void);
/* Of all that has happened since the start. */
uint64_t sk_hash(void);
void sk_note(uint32_t link, int what, int64_t a, int64_t b);
/* Descriptors that are open, and connections of which an end is. */
int sk_descriptors_open(void);
int sk_links_open(void);
/* How often connect or socket failed at once. */
uint64_t sk_connects_refused(void);
/* Calls the actor at that time; an earlier call that is due stands. */
void sk_wake(uint32_t actor, uint64_t at);

/* A client that connects to the listener of that port; NULL where there is none. */
sk_end *sk_connect(uint16_t port, uint32_t address, uint32_t actor, const sk_profile *profile);
/* An upstream's listener: the actor is woken for each that connects. Again, it changes how the
 * next connection moves its bytes. */
void sk_listen(uint16_t port, uint32_t actor, const sk_profile *profile);
/* Who waits to be connected; NULL where no one does. */
sk_end *sk_next_caller(uint16_t port);
/* False where the caller has gone; then the end is no more. */
bool sk_admit(sk_end *end, uint32_t actor);
void sk_refuse(sk_end *end);

/* As recv, send, shutdown and close; a negative number is errno's, negated. */
long sk_receive(sk_end *end, uint8_t *into, size_t count);
long sk_send(sk_end *end, const uint8_t *from, size_t count);
void sk_finish_writing(sk_end *end);
void sk_close(sk_end *end, bool resets);
/* The number of the end's connection in the trace. */
uint32_t sk_link(const sk_end *end);
/* How many of the end's bytes were with the other side when that sent FIN; UINT64_MAX where it
 * has not. */
uint64_t sk_seen_at_fin(const sk_end *end);
/* All of what the end has sent has reached the other one. */
bool sk_is_delivered(const sk_end *end);

/* Makes libcrypto's random numbers come from the seed. */
void sk_seed_libcrypto(uint64_t seed);

#endif
