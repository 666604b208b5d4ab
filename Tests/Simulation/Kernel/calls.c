/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of libc that the gateway makes, defined here so that the linker takes these. Numbers
 * from DESCRIPTOR_FIRST on are descriptors of the simulated kernel; all others are real ones.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The start of 2026, at the simulated clock's zero. */
static const uint64_t epoch_nanoseconds = 1767225600ull * 1000000000ull;

static struct descriptor *find(int fd) {
    int index = fd - DESCRIPTOR_FIRST;
    if (index < 0 || index >= DESCRIPTORS_MAX) return NULL;
    return kernel.descriptors[index].kind == FREE ? NULL : &kernel.descriptors[index];
}

static int fail(int number) {
    errno = number;
    return -1;
}

/* The lowest number that is free, as POSIX has it: numbers are used again at once. */
static int descriptor_make(enum kind kind) {
    int index = kernel.lowest_free;
    if (index >= DESCRIPTORS_MAX) return fail(EMFILE);
    kernel.descriptors[index] = (struct descriptor){.kind = kind};
    if (index > kernel.highest) kernel.highest = index;
    kernel.open++;
    while (kernel.lowest_free < DESCRIPTORS_MAX
           && kernel.descriptors[kernel.lowest_free].kind != FREE) kernel.lowest_free++;
    return DESCRIPTOR_FIRST + index;
}

/* A system call takes a little time, in which the network goes on. */
static void pass_time(void) {
    kernel.now += 200 + sk_below(2 * MICROSECOND);
    run_due(false);
}

// Descriptors

int close(int fd) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_close, fd);
    int index = fd - DESCRIPTOR_FIRST;
    struct sk_end *end = descriptor->end;
    struct listener *listener = descriptor->listener;
    descriptor->kind = FREE;
    kernel.open--;
    if (index < kernel.lowest_free) kernel.lowest_free = index;
    if (end != NULL) {
        sk_note(end->link->number, SK_CLOSE, end->resets_on_close, (int64_t)end->rx.count);
        end_close(end);
    }
    if (listener != NULL) {
        struct link *link;
        while ((link = listener_pop(listener)) != NULL) {
            link->ends[1].resets_on_close = true;
            end_close(&link->ends[1]);
        }
        listener->port = 0;
    }
    return 0;
}

ssize_t read(int fd, void *into, size_t count) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return syscall(SYS_read, fd, into, count);
    if (descriptor->kind != EVENT || count < 8) return fail(EINVAL);
    if (descriptor->counter == 0) return fail(EAGAIN);
    memcpy(into, &descriptor->counter, 8);
    descriptor->counter = 0;
    return 8;
}

ssize_t write(int fd, const void *from, size_t count) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return syscall(SYS_write, fd, from, count);
    uint64_t more;
    if (descriptor->kind != EVENT || count < 8) return fail(EINVAL);
    memcpy(&more, from, 8);
    descriptor->counter += more;
    return 8;
}

int eventfd(unsigned initial, int flags) {
    if (!kernel.is_on) return (int)syscall(SYS_eventfd2, initial, flags);
    int fd = descriptor_make(EVENT);
    if (fd >= 0) find(fd)->counter = initial;
    return fd;
}

// Clocks, simulated from the first moment on: a certificate has a date in it

static void fill(struct timespec *time, uint64_t nanoseconds) {
    time->tv_sec = (time_t)(nanoseconds / 1000000000ull);
    time->tv_nsec = (long)(nanoseconds % 1000000000ull);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (clock == CLOCK_MONOTONIC) {
        fill(time, kernel.now);
    } else if (clock == CLOCK_REALTIME) {
        fill(time, epoch_nanoseconds + kernel.now);
    } else {
        return (int)syscall(SYS_clock_gettime, clock, time);
    }
    return 0;
}

time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into != NULL) *into = now.tv_sec;
    return now.tv_sec;
}

// Sockets

int socket(int domain, int type, int protocol) {
    if (!kernel.is_on) return (int)syscall(SYS_socket, domain, type, protocol);
    pass_time();
    if (sk_one_in(kernel.faults.socket_refused)) {
        kernel.refused++;
        return fail(EMFILE);
    }
    return descriptor_make(STREAM);
}

static uint16_t port_of(const struct sockaddr *address) {
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

int bind(int fd, const struct sockaddr *address, socklen_t size) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_bind, fd, address, size);
    for (int i = 0; i < PORTS_MAX; i++) {
        if (kernel.listeners[i].port != 0) continue;
        kernel.listeners[i] = (struct listener){.port = port_of(address)};
        descriptor->listener = &kernel.listeners[i];
        return 0;
    }
    return fail(EADDRINUSE);
}

int listen(int fd, int backlog) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_listen, fd, backlog);
    descriptor->kind = LISTENER;
    return 0;
}

static void fill_address(struct sockaddr *into, socklen_t *size, uint32_t host, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(host);
    memcpy(into, &address, *size < sizeof address ? *size : sizeof address);
    *size = sizeof address;
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_getsockname, fd, address, size);
    fill_address(
        address, size, INADDR_LOOPBACK, descriptor->listener ? descriptor->listener->port : 0);
    return 0;
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_accept4, fd, address, size, flags);
    pass_time();
    if (descriptor->listener->first == NULL) return fail(EAGAIN);
    if (sk_one_in(kernel.faults.accept_exhausted)) return fail(EMFILE);
    struct link *link = listener_pop(descriptor->listener);
    struct sk_end *end = &link->ends[1];
    if (sk_one_in(kernel.faults.accept_aborted)) {
        end->resets_on_close = true;
        end_close(end);
        return fail(ECONNABORTED);
    }
    int made = descriptor_make(STREAM);
    if (made < 0) return made;
    find(made)->end = end;
    fill_address(address, size, link->address, 40000);
    sk_note(link->number, SK_ACCEPT, 0, made);
    return made;
}

int connect(int fd, const struct sockaddr *address, socklen_t size) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_connect, fd, address, size);
    pass_time();
    struct listener *listener = listener_find(port_of(address), true);
    if (listener == NULL || sk_one_in(kernel.faults.connect_refused)) {
        kernel.refused++;
        return fail(listener == NULL ? ECONNREFUSED : ENETUNREACH);
    }
    struct link *link = link_make(&listener->profile, false);
    link->is_upstream = true;
    link->ends[0].is_world = true;
    descriptor->end = &link->ends[1];
    listener_push(listener, link);
    schedule_caller(listener, kernel.now + MICROSECOND + sk_below(listener->profile.latency_max));
    sk_note(link->number, SK_CONNECT, 0, fd);
    return fail(EINPROGRESS);
}

static ssize_t outcome(long result) {
    if (result >= 0) return result;
    errno = (int)-result;
    return -1;
}

ssize_t recv(int fd, void *into, size_t count, int flags) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return syscall(SYS_recvfrom, fd, into, count, flags, NULL, NULL);
    if (descriptor->end == NULL) return fail(ENOTCONN);
    pass_time();
    long result = end_receive(descriptor->end, into, count, (flags & MSG_PEEK) != 0);
    sk_note(descriptor->end->link->number, SK_RECV, result, flags & MSG_PEEK);
    return outcome(result);
}

ssize_t send(int fd, const void *from, size_t count, int flags) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return syscall(SYS_sendto, fd, from, count, flags, NULL, 0);
    if (descriptor->end == NULL) return fail(ENOTCONN);
    pass_time();
    long result = end_send(descriptor->end, from, count);
    if (result > 0) {
        sk_note_bytes(descriptor->end->link->number, SK_SEND, from, (size_t)result);
    } else {
        sk_note(descriptor->end->link->number, SK_SEND, result, 0);
    }
    return outcome(result);
}

int shutdown(int fd, int how) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_shutdown, fd, how);
    if (descriptor->end == NULL || descriptor->end->is_dead) return fail(ENOTCONN);
    pass_time();
    sk_note(descriptor->end->link->number, SK_SHUTDOWN, how, 0);
    end_shut(descriptor->end);
    return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
    if (level == SOL_SOCKET && name == SO_LINGER && descriptor->end != NULL) {
        const struct linger *linger = value;
        descriptor->end->resets_on_close = linger->l_onoff != 0 && linger->l_linger == 0;
    }
    return 0;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size) {
    struct descriptor *descriptor = find(fd);
    if (descriptor == NULL) return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
    int error = 0;
    if (level == SOL_SOCKET && name == SO_ERROR && descriptor->end != NULL) {
        error = descriptor->end->error;
        descriptor->end->error = 0;
    }
    memcpy(value, &error, sizeof error);
    *size = sizeof error;
    return 0;
}
