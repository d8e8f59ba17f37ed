/*
 * Recycles process numbers as fast as the kernel lets it (see RecyclingProgram.java), and writes down the truth:
 *
 *   hammer BOARD FIRST_NUMBER NUMBERS OFFSET NOTIFY_SOCKET [NAME UID CGROUP_FOLDER]...
 *
 * It owns NUMBERS numbers from FIRST_NUMBER on. In turn it kills and reaps the child that has one, and gives the number
 * to a new child at once: clone3 with set_tid. A child is of one of the kinds NAME: born in the kind's cgroup, it sends
 * STATUS=NAME to the notify socket, takes the kind's user and name, and sleeps. A number keeps a kind for 1 to 64
 * generations, so that many questions fall into the time of one kind.
 *
 * BOARD is a file that others map. From OFFSET on it has one ring of records for each number (struct ring, below). A
 * record is complete when its id is there; its kind and its birth are there before the child is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RING 4096
#define MAX_KINDS 8

struct record {
    uint64_t id;   /* the pidfs inode; 0 until it is known */
    uint64_t born; /* CLOCK_MONOTONIC, before the clone */
    uint64_t gone; /* after the reap; 0 until then */
    uint64_t kind;
};

struct ring {
    uint64_t count;          /* generations so far; the newest is records[(count - 1) % RING] */
    uint64_t ended_by_others; /* children that somebody ended who may not */
    uint64_t reserved[510];  /* to the end of a page */
    struct record records[RING];
};

struct kind {
    const char *name;
    int uid;
    int cgroup;
};

static struct kind kinds[MAX_KINDS];
static int kind_count;
static struct sockaddr_un notify_address = {.sun_family = AF_UNIX};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void child(const struct kind *kind, uint64_t generation) {
    char text[64];
    int length = snprintf(text, sizeof text, "STATUS=%s %llu", kind->name, (unsigned long long)generation);
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (generation % 4 == 0 && s >= 0) /* the others leave the manager time for other questions */
        sendto(s, text, length, 0, (struct sockaddr *)&notify_address, sizeof notify_address);
    close(s);
    if (syscall(SYS_setresgid, kind->uid, kind->uid, kind->uid) || syscall(SYS_setresuid, kind->uid, kind->uid, kind->uid))
        _exit(111);
    prctl(PR_SET_NAME, kind->name);
    for (;;) pause();
}

static void kill_child(int pidfd) {
    if (pidfd >= 0) syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static pid_t clone_with_number(int number, const struct kind *kind, int *pidfd) {
    int64_t tids[1] = {0};
    ((pid_t *)tids)[0] = number;
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .set_tid = (uintptr_t)tids,
        .set_tid_size = 1,
        .cgroup = kind->cgroup,
    };
    return syscall(SYS_clone3, &args, sizeof args);
}

int main(int argc, char **argv) {
    if (argc < 9 || (argc - 6) % 3) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "hammer"); /* whatever the file is called: children have it until they have their own */
    setpriority(PRIO_PROCESS, 0, -10); /* before those who ask: they are many */
    int first = atoi(argv[2]), numbers = atoi(argv[3]);
    off_t offset = atoll(argv[4]);
    strncpy(notify_address.sun_path, argv[5], sizeof notify_address.sun_path - 1);
    for (int i = 6; i + 2 < argc && kind_count < MAX_KINDS; i += 3) {
        struct kind *kind = &kinds[kind_count++];
        kind->name = argv[i];
        kind->uid = atoi(argv[i + 1]);
        kind->cgroup = open(argv[i + 2], O_DIRECTORY | O_CLOEXEC | O_PATH);
        if (kind->cgroup < 0) die(argv[i + 2]);
    }
    int board = open(argv[1], O_RDWR | O_CLOEXEC);
    if (board < 0) die(argv[1]);
    size_t size = numbers * sizeof(struct ring);
    struct ring *rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, board, offset);
    if (rings == MAP_FAILED) die("mmap");
    int *pidfds = calloc(numbers, sizeof *pidfds);
    int *runs = calloc(numbers, sizeof *runs);
    int *current = calloc(numbers, sizeof *current);
    unsigned seed = first * 2654435761u ^ (unsigned)now();
    for (int i = 0; i < numbers; i++) pidfds[i] = -1;
    for (int i = 0;; i = (i + 1) % numbers) {
        struct ring *ring = &rings[i];
        kill_child(pidfds[(i + 1) % numbers]); /* it is a zombie when its turn comes, so that we need not wait */
        if (pidfds[i] >= 0) {
            siginfo_t info = {0};
            kill_child(pidfds[i]);
            if (waitid(P_PIDFD, pidfds[i], &info, WEXITED)) die("waitid");
            close(pidfds[i]);
            struct record *last = &ring->records[(ring->count - 1) % RING];
            __atomic_store_n(&last->gone, now(), __ATOMIC_RELEASE);
            /* The first kind may be killed by any process that holds it; the others only by the hammer. */
            if (info.si_code != CLD_KILLED || (info.si_status != SIGKILL && last->kind != 0))
                __atomic_fetch_add(&ring->ended_by_others, 1, __ATOMIC_RELAXED);
        }
        if (runs[i]-- <= 0) {
            runs[i] = rand_r(&seed) % 64;
            current[i] = rand_r(&seed) % kind_count;
        }
        struct record *record = &ring->records[ring->count % RING];
        __atomic_store_n(&record->id, 0, __ATOMIC_RELEASE);
        record->born = now();
        record->gone = 0;
        record->kind = current[i];
        __atomic_store_n(&ring->count, ring->count + 1, __ATOMIC_RELEASE);
        pid_t pid;
        while ((pid = clone_with_number(first + i, &kinds[current[i]], &pidfds[i])) < 0)
            if (errno != EEXIST && errno != EAGAIN) die("clone3");
        if (pid == 0) child(&kinds[current[i]], ring->count);
        struct stat st;
        if (fstat(pidfds[i], &st)) die("fstat");
        __atomic_store_n(&record->id, st.st_ino, __ATOMIC_RELEASE);
    }
}
