/*
 * The limit that Holdfast is measured against: the same system calls in C.
 *
 * A worker like io.holdfast.benchmarks.library.Subject: reads one command per line, answers with a line of numbers.
 *
 *   info PID N            nanoseconds of N PIDFD_GET_INFO
 *   open PID N            nanoseconds of N pidfd_open + close
 *   signal PID N          nanoseconds of N pidfd_send_signal(0)
 *   spawn N THREADS DIR   nanoseconds in total, and of the calls of pidfd_spawn alone; DIR: cgroup or -
 *   watch N DIR PROGRAM   starts N children in a cgroup and watches them; answers 0
 *   exits                 answers "go", and "done" when all have exited
 *   clock PID             nanoseconds of processor time that all threads of a process have used
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* struct pidfd_info of linux/pidfd.h as of Linux 7.1, and the bits that PidFd.info() requests. */
struct info {
    uint64_t mask, cgroupid;
    uint32_t ids[11], exit_code, coredump[4];
    uint64_t supported_mask;
};
#define GET_INFO _IOWR(0xFF, 11, struct info)
#define ASKED (8 | 0x10 | 0x40 | 0x80)

extern char **environ;

static void fail(const char *what, int error) {
    fprintf(stderr, "reference: %s: %s\n", what, strerror(error));
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t calls(const char *command, int pid, int n) {
    int fd = pidfd_open(pid, 0);
    if (fd < 0)
        fail("pidfd_open", errno);
    uint64_t begin = now();
    if (!strcmp(command, "info")) {
        struct info info;
        for (int i = 0; i < n; i++) {
            info.mask = ASKED;
            if (ioctl(fd, GET_INFO, &info) < 0)
                fail("PIDFD_GET_INFO", errno);
        }
    } else if (!strcmp(command, "open")) {
        for (int i = 0; i < n; i++) {
            int other = pidfd_open(pid, 0);
            if (other < 0)
                fail("pidfd_open", errno);
            close(other);
        }
    } else {
        for (int i = 0; i < n; i++)
            if (pidfd_send_signal(fd, 0, NULL, 0) < 0)
                fail("pidfd_send_signal", errno);
    }
    uint64_t end = now();
    close(fd);
    return end - begin;
}

/* As Holdfast does for every child: an empty signal mask, default dispositions, no descriptors from 3 on. */
static int spawn(char *program, int cgroup) {
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    sigset_t full, empty;
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    char *argv[] = {program, NULL};
    int fd;

    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_init(&actions);
    sigfillset(&full);
    sigemptyset(&empty);
    posix_spawnattr_setsigdefault(&attr, &full);
    posix_spawnattr_setsigmask(&attr, &empty);
    if (cgroup >= 0) {
        flags |= POSIX_SPAWN_SETCGROUP;
        posix_spawnattr_setcgroup_np(&attr, cgroup);
    }
    posix_spawnattr_setflags(&attr, flags);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    int error = pidfd_spawn(&fd, program, &actions, &attr, argv, environ);
    if (error)
        fail("pidfd_spawn", error);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return fd;
}

static void reap(int fd) {
    siginfo_t info;
    if (waitid(P_PIDFD, fd, &info, WEXITED) < 0)
        fail("waitid", errno);
    close(fd);
}

struct spawner {
    int n, cgroup;
    uint64_t call;
};

static void *spawner(void *argument) {
    struct spawner *s = argument;
    for (int i = 0; i < s->n; i++) {
        uint64_t begin = now();
        int fd = spawn("/bin/true", s->cgroup);
        s->call += now() - begin;
        reap(fd);
    }
    return NULL;
}

static int open_cgroup(const char *path) {
    if (!strcmp(path, "-"))
        return -1;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fail(path, errno);
    return fd;
}

static void spawns(int n, int threads, const char *path) {
    pthread_t thread[threads];
    struct spawner each[threads];
    uint64_t call = 0, begin;
    int cgroup = open_cgroup(path);

    begin = now();
    for (int i = 0; i < threads; i++) {
        each[i] = (struct spawner){n, cgroup, 0};
        pthread_create(&thread[i], NULL, spawner, &each[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        call += each[i].call;
    }
    printf("%lu %lu\n", now() - begin, call);
    if (cgroup >= 0)
        close(cgroup);
}

static int watched, epoll = -1;

static void watch(int n, const char *path, char *program) {
    int cgroup = open_cgroup(path);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (watched = 0; watched < n; watched++) {
        struct epoll_event event = {.events = EPOLLIN};
        event.data.fd = spawn(program, cgroup);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
            fail("epoll_ctl", errno);
    }
    if (cgroup >= 0)
        close(cgroup);
}

static void exits(void) {
    struct epoll_event events[256];
    printf("go\n");
    while (watched > 0) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++, watched--)
            reap(events[i].data.fd);
    }
    printf("done\n");
    close(epoll);
}

/* Includes threads that have ended. */
static uint64_t clock_of(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    int error = clock_getcpuclockid(pid, &clock);
    if (error)
        fail("clock_getcpuclockid", error);
    if (clock_gettime(clock, &t))
        fail("clock_gettime", errno);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int main(void) {
    char line[4096], path[2048], program[2048];
    int a, b;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "info %d %d", &a, &b) == 2)
            printf("%lu\n", calls("info", a, b));
        else if (sscanf(line, "open %d %d", &a, &b) == 2)
            printf("%lu\n", calls("open", a, b));
        else if (sscanf(line, "signal %d %d", &a, &b) == 2)
            printf("%lu\n", calls("signal", a, b));
        else if (sscanf(line, "spawn %d %d %2047s", &a, &b, path) == 3)
            spawns(a, b, path);
        else if (sscanf(line, "watch %d %2047s %2047s", &a, path, program) == 3) {
            watch(a, path, program);
            printf("0\n");
        } else if (!strncmp(line, "exits", 5))
            exits();
        else if (sscanf(line, "clock %d", &a) == 1)
            printf("%lu\n", clock_of(a));
        else
            fail(line, EINVAL);
    }
    return 0;
}
