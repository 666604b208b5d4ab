/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens when: a heap of events, in the order of their times and, within one time, in that
 * in which they were filed.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum event_kind { MOVE, CALLER, WAKE };

struct event {
    uint64_t at, order;
    enum event_kind kind;
    uint32_t actor;
    struct sk_end *end;
    struct listener *listener;
};

static struct {
    struct event *events;
    size_t count, capacity;
    uint64_t order;
    /* By actor: when it is to be woken next; 0 for not at all. */
    uint64_t *wakes;
    size_t actors;
} schedule;

void schedule_reset(void) {
    schedule.count = 0;
    schedule.order = 0;
    if (schedule.actors > 0) memset(schedule.wakes, 0, schedule.actors * sizeof *schedule.wakes);
}

static bool is_before(const struct event *a, const struct event *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct event event) {
    if (schedule.count == schedule.capacity) {
        schedule.capacity = schedule.capacity == 0 ? 1024 : schedule.capacity * 2;
        schedule.events = realloc(schedule.events, schedule.capacity * sizeof event);
    }
    event.order = schedule.order++;
    size_t at = schedule.count++;
    while (at > 0 && is_before(&event, &schedule.events[(at - 1) / 2])) {
        schedule.events[at] = schedule.events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    schedule.events[at] = event;
}

static struct event pop(void) {
    struct event top = schedule.events[0], last = schedule.events[--schedule.count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= schedule.count) break;
        if (child + 1 < schedule.count
            && is_before(&schedule.events[child + 1], &schedule.events[child])) child++;
        if (!is_before(&schedule.events[child], &last)) break;
        schedule.events[at] = schedule.events[child];
        at = child;
    }
    if (schedule.count > 0) schedule.events[at] = last;
    return top;
}

void schedule_move(struct sk_end *end, uint64_t at) {
    end->link->events++;
    push((struct event){.at = at, .kind = MOVE, .end = end});
}

void schedule_caller(struct listener *listener, uint64_t at) {
    push((struct event){.at = at, .kind = CALLER, .listener = listener});
}

void sk_wake(uint32_t actor, uint64_t at) {
    if (actor >= schedule.actors) {
        size_t more = actor * 2 + 1024;
        schedule.wakes = realloc(schedule.wakes, more * sizeof *schedule.wakes);
        memset(schedule.wakes + schedule.actors, 0,
               (more - schedule.actors) * sizeof *schedule.wakes);
        schedule.actors = more;
    }
    if (at <= kernel.now) at = kernel.now + 1;
    if (schedule.wakes[actor] != 0 && schedule.wakes[actor] <= at) return;
    schedule.wakes[actor] = at;
    push((struct event){.at = at, .kind = WAKE, .actor = actor});
}

uint64_t next_due(void) { return schedule.count == 0 ? UINT64_MAX : schedule.events[0].at; }

/* Without actors, the first of them that is due ends it: time stands still for those behind. */
void run_due(bool with_actors) {
    while (schedule.count > 0 && schedule.events[0].at <= kernel.now) {
        if (!with_actors && schedule.events[0].kind != MOVE) return;
        struct event event = pop();
        switch (event.kind) {
        case MOVE:
            event.end->link->events--;
            end_move(event.end);
            link_let_go(event.end->link);
            break;
        case CALLER:
            if (event.listener->is_world) sk_wake(event.listener->actor, kernel.now);
            break;
        case WAKE:
            if (schedule.wakes[event.actor] != event.at) break;
            schedule.wakes[event.actor] = 0;
            kernel.world.wake(event.actor);
            break;
        }
    }
}
