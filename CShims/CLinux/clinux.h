/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Glibc module does not show to Swift: Linux-only calls, and macros. Declarations are
 * repeated here rather than taken with _GNU_SOURCE, under which socket addresses would import as
 * a transparent union.
 */
#ifndef AGENTPORT_CLINUX_H
#define AGENTPORT_CLINUX_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int accept4(int, struct sockaddr *, socklen_t *, int);
int malloc_trim(size_t);
int sched_getaffinity(int, size_t, void *);

#define CL_EPOLLIN 0x001u
#define CL_EPOLLOUT 0x004u
#define CL_EPOLLERR 0x008u
#define CL_EPOLLHUP 0x010u
#define CL_EPOLLRDHUP 0x2000u

#define CL_SOCK_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static inline int cl_errno(void) { return errno; }

static inline void cl_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

static inline int cl_socket_stream(int family) {
    return socket(family, SOCK_STREAM | CL_SOCK_FLAGS, 0);
}

static inline int cl_accept(int fd, struct sockaddr_storage *peer) {
    socklen_t size = sizeof *peer;
    return accept4(fd, (struct sockaddr *)peer, &size, CL_SOCK_FLAGS);
}

static inline int cl_connect(int fd, const struct sockaddr_storage *peer, socklen_t size) {
    return connect(fd, (const struct sockaddr *)peer, size);
}

static inline int cl_bind(int fd, const struct sockaddr_storage *local, socklen_t size) {
    return bind(fd, (const struct sockaddr *)local, size);
}

static inline int cl_getsockname(int fd, struct sockaddr_storage *local) {
    socklen_t size = sizeof *local;
    return getsockname(fd, (struct sockaddr *)local, &size);
}

static inline int cl_set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value);
}

static inline int cl_socket_error(int fd) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) == 0 ? value : errno;
}

static inline ssize_t cl_recv(int fd, void *into, size_t count) { return recv(fd, into, count, 0); }

static inline ssize_t cl_send(int fd, const void *from, size_t count) {
    return send(fd, from, count, MSG_NOSIGNAL);
}

static inline int cl_reset_on_close(int fd) {
    struct linger linger = {1, 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* One byte looked at without taking it: tells whether an idle pooled connection is still good. */
static inline ssize_t cl_peek(int fd) {
    unsigned char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

static inline int cl_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, fd, &event);
}

static inline int cl_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

static inline int cl_signalfd(const sigset_t *set) {
    return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Keeps secrets out of core dumps and away from other processes of the same user. */
static inline int cl_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

extern char **environ;
static inline char **cl_environment(void) { return environ; }

static inline long cl_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return (long)limit.rlim_cur;
}

static inline int cl_open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return 0;
    int count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count - 3; /* ".", ".." and the folder itself */
}

static inline void cl_name_thread(const char *name) {
    prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0);
}

/* 1 where the clock is kept by NTP or the like, 0 where it is not, -1 where nobody says. */
static inline int cl_clock_state(void) {
    struct timex facts;
    memset(&facts, 0, sizeof facts);
    int state = adjtimex(&facts);
    if (state < 0) return -1;
    return state != TIME_ERROR && (facts.status & STA_UNSYNC) == 0;
}

static inline uint64_t cl_now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Cores this process may run on; 0 where the kernel does not say. */
static inline int cl_cores_allowed(void) {
    unsigned long mask[128];
    memset(mask, 0, sizeof mask);
    if (sched_getaffinity(0, sizeof mask, mask) < 0) return 0;
    int count = 0;
    for (int i = 0; i < 128; i++) count += __builtin_popcountl(mask[i]);
    return count;
}

/* 0, or -1 with errno: EWOULDBLOCK where another holds it. */
static inline int cl_lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

static inline int cl_open(const char *path, int flags, unsigned mode) {
    return open(path, flags | O_CLOEXEC, (mode_t)mode);
}

static inline int cl_is_directory(const struct stat *facts) { return S_ISDIR(facts->st_mode); }

/* A shared mapping of the file's first `size` bytes, with their space on disk set aside, so that
   a later store cannot meet a full disk. NULL with errno. */
static inline void *cl_map_shared(int fd, size_t size) {
    int refused = posix_fallocate(fd, 0, (off_t)size);
    if (refused != 0) {
        errno = refused;
        return NULL;
    }
    void *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return region == MAP_FAILED ? NULL : region;
}

static inline void cl_fill_unix(struct sockaddr_storage *out, const char *path, size_t count) {
    struct sockaddr_un *address = (struct sockaddr_un *)out;
    memset(out, 0, sizeof *out);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, count);
}

/* Removes what is in a folder of ours, two levels deep at most, and the folder. */
static inline void cl_remove_folder(const char *path, int depth) {
    DIR *folder = opendir(path);
    if (folder == NULL) return;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char name[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if ((size_t)snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= sizeof name) continue;
        if (unlink(name) != 0 && depth > 0) cl_remove_folder(name, depth - 1);
    }
    closedir(folder);
    rmdir(path);
}

#endif
