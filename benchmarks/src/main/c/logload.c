/*
 * The load for a receiver of log messages, systemd-journald or another one.
 *
 *   logload SOCKETS JOURNAL   the folder of the sockets, and the file system.journal
 *
 * A worker: reads one command per line, answers with a line of numbers.
 *
 *   stdout LINES WRITERS   each writer is a process with a stream of its own, and writes lines of 100 bytes
 *   native MESSAGES        one process sends datagrams with 8 fields
 *
 * The answer is the nanoseconds from the first message until all of them are in the file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAIL_ENTRY_SEQNUM 160 /* in the header of a journal file */
#define LINE 100

static const char *sockets, *journal;

static void fail(const char *what) {
    fprintf(stderr, "logload: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The number of the last entry; the file is opened each time, since it is rotated. 0 while there is none. */
static uint64_t stored(void) {
    uint64_t last = 0;
    int fd = open(journal, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (pread(fd, &last, sizeof last, TAIL_ENTRY_SEQNUM) != sizeof last)
        last = 0;
    close(fd);
    return last;
}

static void await_stored(uint64_t least) {
    struct timespec pause = {.tv_nsec = 1000000};
    uint64_t begin = now();
    while (stored() < least) {
        if (now() - begin > 240 * 1000000000ull) {
            fprintf(stderr, "logload: messages are missing: %llu of %llu\n", (unsigned long long)stored(),
                    (unsigned long long)least);
            exit(1);
        }
        nanosleep(&pause, NULL);
    }
}

static int connected(const char *name, int type) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", sockets, name);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail(address.sun_path);
    return fd;
}

static void write_lines(int writer, int count) {
    int fd = connected("stdout", SOCK_STREAM);
    static const char header[] = "load\n\n6\n0\n0\n0\n0\n";
    if (write(fd, header, sizeof header - 1) < 0)
        fail("write");
    char line[LINE + 1];
    memset(line, 'x', LINE);
    line[LINE - 1] = '\n';
    for (int i = 0; i < count; i++) {
        int n = snprintf(line, LINE, "writer %d line %d of a program that has something to say ", writer, i);
        line[n] = 'x';
        if (write(fd, line, LINE) != LINE)
            fail("write");
    }
    close(fd);
}

static void load_stdout(int lines, int writers) {
    for (int i = 0; i < writers; i++) {
        pid_t child = fork();
        if (child < 0)
            fail("fork");
        if (child == 0) {
            write_lines(i, lines / writers);
            _exit(0);
        }
    }
    for (int status; wait(&status) > 0;)
        if (status != 0)
            exit(1);
}

static void load_native(int messages) {
    int fd = connected("socket", SOCK_DGRAM);
    char text[1024];
    for (int i = 0; i < messages; i++) {
        int n = snprintf(text, sizeof text,
                         "MESSAGE=request %d of client %d was answered\nPRIORITY=6\nSYSLOG_IDENTIFIER=load\n"
                         "CODE_FILE=server.c\nCODE_LINE=%d\nCODE_FUNC=answer\nREQUEST_ID=%08d\nSTATUS=%d\n",
                         i, i % 100, 100 + i % 50, i, 200 + i % 5);
        if (send(fd, text, n, 0) != n)
            fail("send");
    }
    close(fd);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "logload SOCKETS JOURNAL\n");
        return 2;
    }
    sockets = arguments[1];
    journal = arguments[2];
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        int messages, writers;
        uint64_t before = stored(), begin = now();
        if (sscanf(line, "stdout %d %d", &messages, &writers) == 2) {
            messages = messages / writers * writers;
            load_stdout(messages, writers);
        } else if (sscanf(line, "native %d", &messages) == 1) {
            load_native(messages);
        } else {
            fprintf(stderr, "logload: unknown command: %s", line);
            return 2;
        }
        await_stored(before + messages);
        printf("%llu\n", (unsigned long long)(now() - begin));
        fflush(stdout);
    }
    return 0;
}
