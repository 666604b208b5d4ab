/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmarks ask of Linux beyond the gateway's own rim: timers finer than a millisecond,
 * cores, other processes and the processor time they have used.
 */
#ifndef AGENTPORT_CBENCHMARKS_H
#define AGENTPORT_CBENCHMARKS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int sched_setaffinity(pid_t, size_t, const void *);
int sched_setscheduler(pid_t, int, const void *);
int sched_getaffinity(pid_t, size_t, void *);

#define CB_CORES_MAX 1024

static inline int cb_timer(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

/* Readable from `nanoseconds` of the monotonic clock on; never, where that is 0. */
static inline int cb_timer_arm(int timer, uint64_t nanoseconds) {
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    when.it_value.tv_sec = (time_t)(nanoseconds / 1000000000u);
    when.it_value.tv_nsec = (long)(nanoseconds % 1000000000u);
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* The n-th core that this thread may use, or -1. */
static inline int cb_allowed_core(int n) {
    unsigned char mask[CB_CORES_MAX / 8];
    memset(mask, 0, sizeof mask);
    if (sched_getaffinity(0, sizeof mask, mask) < 0) return -1;
    for (int core = 0; core < CB_CORES_MAX; core++)
        if (mask[core / 8] >> (core % 8) & 1 && n-- == 0) return core;
    return -1;
}

/* Lets the calling thread run only where nobody else wants the core. */
static inline int cb_yield_to_all(void) {
    struct { int priority; } none = {0};
    return sched_setscheduler(0, 5 /* SCHED_IDLE */, &none);
}

/* Keeps the calling thread, and what it starts from now on, on one core. */
static inline int cb_pin(int core) {
    unsigned char mask[CB_CORES_MAX / 8];
    if (core < 0 || core >= CB_CORES_MAX) return -1;
    memset(mask, 0, sizeof mask);
    mask[core / 8] = (unsigned char)(1u << (core % 8));
    return sched_setaffinity(0, sizeof mask, mask);
}

/* Nanoseconds of processor time that all threads of a process have used; 0 where it is gone. */
static inline uint64_t cb_processor_time(pid_t process) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* Nanoseconds of processor time that the calling thread has used. */
static inline uint64_t cb_thread_time(void) {
    struct timespec used;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0) return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* The ids of all processes that show, no more than `count`; returns how many. */
static inline int cb_processes(int32_t *room, int count) {
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int found = 0;
    while (folder != NULL && found < count && (entry = readdir(folder)) != NULL) {
        int process = atoi(entry->d_name);
        if (process > 0) room[found++] = process;
    }
    if (folder != NULL) closedir(folder);
    return found;
}

/* Starts a program in a process group of its own, which is told to end when the calling thread
   does. Its input is empty, and its two outputs go to files; `core` is where it is kept, or -1.
   What the caller has ignored or blocked is not handed on. Returns its id, or -1. */
static inline pid_t cb_start(
    char *const words[], char *const environment[], const char *output, const char *errors,
    int core) {
    pid_t child = fork();
    if (child > 0) setpgid(child, child);
    if (child != 0) return child;
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    /* Not SIGKILL: a master would leave its workers behind. */
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (core >= 0) cb_pin(core);
    int in = open("/dev/null", O_RDONLY);
    int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int err = open(errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (in < 0 || out < 0 || err < 0) _exit(127);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    if (in > 2) close(in);
    if (out > 2) close(out);
    if (err > 2) close(err);
    execve(words[0], words, environment);
    _exit(127);
}

/* 1 once a child of ours has ended, which is taken note of: `status` is what it said, or -1 where
   a signal ended it. 0 while it runs. */
static inline int cb_has_ended(pid_t child, int is_waiting, int32_t *status) {
    int code = 0;
    pid_t ended = waitpid(child, &code, is_waiting ? 0 : WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return 0;
    *status = ended == child && WIFEXITED(code) ? WEXITSTATUS(code) : -1;
    return 1;
}

static inline int cb_signal(pid_t process, int number) { return kill(process, number); }

/* To a child of ours and what it has started. */
static inline void cb_kill_group(pid_t child) {
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
}

static inline int cb_is_root(void) { return geteuid() == 0; }

static inline int cb_interrupt(void) { return SIGINT; }
static inline int cb_terminate(void) { return SIGTERM; }

/* Release of the running kernel, into 128 bytes at most. */
static inline void cb_kernel(char *text, size_t size) {
    struct utsname names;
    text[0] = 0;
    if (uname(&names) == 0) strncat(text, names.release, size - 1);
}

#endif
