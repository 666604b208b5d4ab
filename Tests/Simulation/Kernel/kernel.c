/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's own state, and what the world asks of it.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_MOMENT 1000000000000ull

struct kernel kernel = {.now = FIRST_MOMENT};

void sk_start(uint64_t seed, const sk_world *world) {
    memset(&kernel, 0, sizeof kernel);
    schedule_reset();
    kernel.is_on = true;
    kernel.now = FIRST_MOMENT;
    kernel.random = seed;
    kernel.hash = 0xcbf29ce484222325ull;
    kernel.world = *world;
    kernel.highest = -1;
}

void sk_set_faults(const sk_faults *faults) { kernel.faults = *faults; }

uint64_t sk_now(void) { return kernel.now; }
uint64_t sk_hash(void) { return kernel.hash; }
int sk_descriptors_open(void) { return kernel.open; }
int sk_links_open(void) { return kernel.links_open; }
uint64_t sk_connects_refused(void) { return kernel.refused; }

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t sk_draw(void) {
    uint64_t mixed = kernel.random += 0x9e3779b97f4a7c15ull;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return mixed ^ (mixed >> 31);
}

uint64_t sk_below(uint64_t bound) { return bound < 2 ? 0 : sk_draw() % bound; }

bool sk_one_in(uint32_t chance) { return chance != 0 && sk_draw() % chance == 0; }

static void stir(uint64_t word) { kernel.hash = (kernel.hash ^ word) * 0x100000001b3ull; }

void sk_note(uint32_t link, int what, int64_t a, int64_t b) {
    stir(kernel.now);
    stir((uint64_t)link << 8 | (uint64_t)what);
    stir((uint64_t)a);
    stir((uint64_t)b);
    if (kernel.world.trace != NULL) kernel.world.trace(link, what, a, b);
}

void sk_note_bytes(uint32_t link, int what, const uint8_t *bytes, size_t count) {
    uint64_t word, sum = count;
    for (size_t at = 0; at + 8 <= count; at += 8) {
        memcpy(&word, bytes + at, 8);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
        sum ^= sum >> 29;
    }
    for (size_t at = count & ~(size_t)7; at < count; at++) sum = (sum ^ bytes[at]) * 0x100000001b3ull;
    sk_note(link, what, (int64_t)count, (int64_t)sum);
}

// The world's ends

sk_end *sk_connect(uint16_t port, uint32_t address, uint32_t actor, const sk_profile *profile) {
    struct listener *listener = listener_find(port, false);
    if (listener == NULL) return NULL;
    struct link *link = link_make(profile, true);
    link->address = address;
    link->ends[0].is_world = true;
    link->ends[0].actor = actor;
    listener_push(listener, link);
    sk_note(link->number, SK_CONNECT, 1, port);
    return &link->ends[0];
}

void sk_listen(uint16_t port, uint32_t actor, const sk_profile *profile) {
    struct listener *known = listener_find(port, true);
    if (known != NULL) {
        known->profile = *profile;
        return;
    }
    for (int i = 0; i < PORTS_MAX; i++) {
        struct listener *listener = &kernel.listeners[i];
        if (listener->port != 0) continue;
        *listener = (struct listener){
            .port = port, .is_world = true, .actor = actor, .profile = *profile};
        return;
    }
}

sk_end *sk_next_caller(uint16_t port) {
    struct listener *listener = listener_find(port, true);
    struct link *link = listener == NULL ? NULL : listener_pop(listener);
    return link == NULL ? NULL : &link->ends[0];
}

bool sk_admit(sk_end *end, uint32_t actor) {
    if (end->peer->is_closed) {
        end_close(end);
        return false;
    }
    end->actor = actor;
    end->is_connected = end->peer->is_connected = true;
    sk_note(end->link->number, SK_ACCEPT, 1, actor);
    return true;
}

void sk_refuse(sk_end *end) {
    end->is_closed = true;
    end->is_reset_pending = true;
    end_start_moving(end);
}

long sk_receive(sk_end *end, uint8_t *into, size_t count) {
    long result = end_receive(end, into, count, false);
    if (result != -EAGAIN) sk_note(end->link->number, SK_WORLD_RECV, result, 0);
    return result;
}

long sk_send(sk_end *end, const uint8_t *from, size_t count) {
    long result = end_send(end, from, count);
    if (result > 0) sk_note_bytes(end->link->number, SK_WORLD_SEND, from, (size_t)result);
    return result;
}

void sk_finish_writing(sk_end *end) {
    sk_note(end->link->number, SK_WORLD_SHUTDOWN, 0, 0);
    end_shut(end);
}

void sk_close(sk_end *end, bool resets) {
    sk_note(end->link->number, SK_WORLD_CLOSE, resets, (int64_t)end->rx.count);
    if (resets) end->resets_on_close = true;
    end_close(end);
}

uint32_t sk_link(const sk_end *end) { return end->link->number; }

uint64_t sk_seen_at_fin(const sk_end *end) { return end->peer->seen_at_fin; }

bool sk_is_delivered(const sk_end *end) { return end->tx.count == 0; }
