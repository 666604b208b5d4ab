/* SPDX-License-Identifier: Apache-2.0
 *
 * epoll, level-triggered, and the only place where the world's time goes on by itself.
 */
#include "internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

int epoll_create1(int flags) {
    if (!kernel.is_on) return (int)syscall(SYS_epoll_create1, flags);
    for (int index = 0; index < DESCRIPTORS_MAX; index++) {
        if (kernel.descriptors[index].kind != FREE) continue;
        kernel.descriptors[index] = (struct descriptor){.kind = EPOLL};
        kernel.open++;
        if (index > kernel.highest) kernel.highest = index;
        if (index == kernel.lowest_free) kernel.lowest_free = index + 1;
        return DESCRIPTOR_FIRST + index;
    }
    errno = EMFILE;
    return -1;
}

static struct descriptor *find(int fd) {
    int index = fd - DESCRIPTOR_FIRST;
    if (index < 0 || index >= DESCRIPTORS_MAX) return NULL;
    return &kernel.descriptors[index];
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    struct descriptor *descriptor = find(fd);
    if (find(epoll) == NULL) return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
    int number = 0;
    if (descriptor == NULL || descriptor->kind == FREE) {
        number = EBADF;
    } else if (operation == EPOLL_CTL_ADD ? descriptor->is_watched : !descriptor->is_watched) {
        number = operation == EPOLL_CTL_ADD ? EEXIST : ENOENT;
    }
    if (number != 0) {
        errno = number;
        return -1;
    }
    descriptor->is_watched = operation != EPOLL_CTL_DEL;
    descriptor->interest = event->events;
    descriptor->data = event->data.u64;
    return 0;
}

static uint32_t readiness(const struct descriptor *descriptor) {
    switch (descriptor->kind) {
    case EVENT: return descriptor->counter > 0 ? EPOLLIN | EPOLLOUT : EPOLLOUT;
    case LISTENER: return descriptor->listener->first != NULL ? EPOLLIN : 0;
    case STREAM:
        if (descriptor->end == NULL) return EPOLLOUT | EPOLLHUP;
        return end_readiness(descriptor->end);
    default: return 0;
    }
}

/* All that are ready, in an order of chance. */
static int collect(struct epoll_event *events, int most) {
    int count = 0;
    for (int index = 0; index <= kernel.highest; index++) {
        struct descriptor *descriptor = &kernel.descriptors[index];
        if (descriptor->kind == FREE || !descriptor->is_watched) continue;
        uint32_t bits = readiness(descriptor) & (descriptor->interest | EPOLLERR | EPOLLHUP);
        if (bits == 0) continue;
        int at = (int)sk_below((uint64_t)count + 1);
        if (count < most) {
            if (at < count) events[count] = events[at];
        } else if (at >= most) {
            continue;
        }
        events[at].events = bits;
        events[at].data.u64 = descriptor->data;
        if (count < most) count++;
        uint32_t link = descriptor->end == NULL ? 0 : descriptor->end->link->number;
        sk_note(link, SK_READY, bits, descriptor->interest);
    }
    return count;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout) {
    if (find(epoll) == NULL) return (int)syscall(SYS_epoll_wait, epoll, events, most, timeout);
    if (sk_one_in(kernel.faults.wait_interrupted)) {
        errno = EINTR;
        return -1;
    }
    uint64_t wait = timeout < 0 ? 1000000 * MICROSECOND : (uint64_t)timeout * 1000 * MICROSECOND;
    uint64_t end = kernel.now + wait;
    // Now and then this thread was not running for a while, and things have piled up.
    if (sk_one_in(4)) kernel.now += sk_below(400 * MICROSECOND);
    for (;;) {
        run_due(true);
        int count = collect(events, most);
        if (count > 0) return count;
        uint64_t next = next_due();
        if (next > end) break;
        if (next > kernel.now) kernel.now = next;
    }
    if (kernel.now < end) kernel.now = end + sk_below(100 * MICROSECOND);
    sk_note(0, SK_TIMEOUT, timeout, 0);
    return 0;
}
