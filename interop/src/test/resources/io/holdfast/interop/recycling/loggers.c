/*
 * Starts processes that each log one line and exit at once (see LogHammerTest.java):
 *
 *   loggers SOCKETS COUNT NUMBER [NAME UID CGROUP_FOLDER]...
 *
 * All its children have the same number, one after the other: as soon as one has exited it is reaped, and its number is
 * given to a child of another kind (clone3 with set_tid), mostly before the receiver has looked at the line. A child is
 * born in the cgroup of its kind, takes the user of its kind and logs "NAME INDEX NUMBER UID" in one of three ways.
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_KINDS 8

struct kind {
    const char *name;
    int uid;
    int cgroup;
};

static struct kind kinds[MAX_KINDS];
static int kind_count;
static const char *sockets;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void send_to(const char *name, int type, const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", sockets, name);
    int s = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    size_t length = strlen(text);
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) || send(s, text, length, MSG_NOSIGNAL) != (ssize_t)length)
        _exit(112);
}

static void child(const struct kind *kind, int index, int number) {
    char line[128], text[256];
    if (syscall(SYS_setresgid, kind->uid, kind->uid, kind->uid) || syscall(SYS_setresuid, kind->uid, kind->uid, kind->uid))
        _exit(111);
    snprintf(line, sizeof line, "%s %d %d %d", kind->name, index, number, kind->uid);
    switch ((index * 2654435761u >> 16) % 3) {
    case 0:
        snprintf(text, sizeof text, "<14>loggers: %s", line);
        send_to("dev-log", SOCK_DGRAM, text);
        break;
    case 1:
        snprintf(text, sizeof text, "MESSAGE=%s\nSYSLOG_IDENTIFIER=loggers\n", line);
        send_to("socket", SOCK_DGRAM, text);
        break;
    default:
        snprintf(text, sizeof text, "loggers\n\n6\n0\n0\n0\n0\n%s\n", line);
        send_to("stdout", SOCK_STREAM, text);
    }
    _exit(0);
}

static void reap(int pidfd) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, pidfd, &info, WEXITED)) die("waitid");
    if (info.si_code != CLD_EXITED || info.si_status != 0) {
        fprintf(stderr, "a child ended with %d\n", info.si_status);
        exit(1);
    }
    close(pidfd);
}

int main(int argc, char **argv) {
    if (argc < 7 || (argc - 4) % 3) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sockets = argv[1];
    int count = atoi(argv[2]), number = atoi(argv[3]);
    for (int i = 4; i + 2 < argc && kind_count < MAX_KINDS; i += 3) {
        struct kind *kind = &kinds[kind_count++];
        kind->name = argv[i];
        kind->uid = atoi(argv[i + 1]);
        kind->cgroup = open(argv[i + 2], O_DIRECTORY | O_CLOEXEC | O_PATH);
        if (kind->cgroup < 0) die(argv[i + 2]);
    }
    for (int i = 0; i < count; i++) {
        const struct kind *kind = &kinds[i % kind_count];
        int pidfd;
        struct clone_args args = {
            .flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
            .pidfd = (uintptr_t)&pidfd,
            .exit_signal = SIGCHLD,
            .set_tid = (uintptr_t)&number,
            .set_tid_size = 1,
            .cgroup = kind->cgroup,
        };
        pid_t pid;
        while ((pid = syscall(SYS_clone3, &args, sizeof args)) < 0)
            if (errno != EEXIST && errno != EAGAIN) die("clone3");
        if (pid == 0) child(kind, i, number);
        reap(pidfd);
    }
    return 0;
}
