/*
 * The load generator for a message bus: plain D-Bus over a Unix socket, one thread, one epoll, all clients in one
 * process. The process that listens at the socket is the bus, whose processor time and memory are measured.
 *
 *   busload SOCKET COMMAND ARGUMENT...   runs the command, and prints the results as name=value
 *   busload SOCKET                       reads commands, one per line; answers each with a line of the values alone
 *   busload systemd SOCKET               becomes a systemd1 on it that returns a unit for every process
 *   busload daemon SOCKET                becomes dbus-daemon, open to all
 *   busload broker SOCKET                becomes dbus-broker, open to all, with a controller as its child
 *
 * Commands (MS: milliseconds; WRITES: batched or each):
 *   roundtrip MS                                     one call after the other between two clients
 *   oneway BYTES WINDOW WRITES MS                    calls that expect no reply
 *   calls WINDOW WRITES MS                           calls with replies
 *   broadcast SUBSCRIBERS WINDOW WRITES RULES MS     a signal to all subscribers, among other clients' rules
 *   connect PARALLEL MS                              connect, Hello, disconnect
 *   credentials WINDOW MS                            GetConnectionCredentials with ProcessFD
 *   subject                                          starts the subject of checks, a process of another user
 *   checks KIND ACTION DECISION WINDOW COUNT MS      calls to the authority (ping, pid, pidfd, name, enumerate):
 *                                                    COUNT, or for MS if that is 0; DECISION is the expected one, 0 or 1
 *   checks unit PID 0 WINDOW COUNT MS                the same to the manager: the unit of the process, by pidfd
 *   peer KIND ACTION DECISION WINDOW COUNT MS        the same to a peer that itself listens at the socket, without a bus
 *   jobs METHOD UNIT COUNT WINDOW                    calls StartUnit or StopUnit of a manager until each job is done;
 *                                                    UNIT@ stands for its instances from 0 on
 *   list COUNT                                       calls ListUnits of a manager
 *   first ACTION                                     waits for the authority's first reply
 *   memory CONNECTIONS RULES MS                      resident KiB: idle, connected, with rules, and after; each after MS
 *
 * A message that is lost, duplicated, out of order or altered ends the program with status 1.
 * All commands but memory, subject and first begin their answer with: operations per second, nanoseconds of the bus's
 * processor time per operation, the fraction of the time that the bus ran, and the same fraction of this program.
 */
#define _GNU_SOURCE
#include "busload.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static bool named;

void answer(const char *name, double value) {
    static const char *form[] = {"%.6g ", "%s=%.6g "};
    if (named)
        printf(form[1], name, value);
    else
        printf(form[0], value);
}

static uint64_t clock_of(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        fail("the bus %d is gone", pid);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t began, bus_began, own_began;

void begin_measuring(void) {
    bus_began = clock_of(bus_pid);
    own_began = clock_of(0);
    began = now();
}

void end_measuring(const char *operations, double count) {
    double time = now() - began;
    double bus = clock_of(bus_pid) - bus_began, own = clock_of(0) - own_began;
    char name[40];
    snprintf(name, sizeof name, "%s_per_s", operations);
    answer(name, count * 1e9 / time);
    answer("bus_ns", bus / count);
    answer("bus_share", bus / time);
    answer("own_share", own / time);
}

static int number(char **words, int i) {
    char *end = NULL;
    long value = words[i] ? strtol(words[i], &end, 10) : -1;
    if (!end || *end || end == words[i] || value < 0 || value > 1000000000)
        fail("%s: argument %d is to be a number", words[0], i);
    return value;
}

static enum writes writes(char **words, int i) {
    if (words[i] && strcmp(words[i], "batched") == 0)
        return BATCHED;
    if (words[i] && strcmp(words[i], "each") == 0)
        return EACH;
    fail("%s: argument %d is to be batched or each", words[0], i);
}

static void run(char **w) {
    if (strcmp(w[0], "roundtrip") == 0)
        roundtrip(number(w, 1));
    else if (strcmp(w[0], "oneway") == 0)
        oneway(number(w, 1), number(w, 2), writes(w, 3), number(w, 4));
    else if (strcmp(w[0], "calls") == 0)
        calls(number(w, 1), writes(w, 2), number(w, 3));
    else if (strcmp(w[0], "broadcast") == 0)
        broadcast(number(w, 1), number(w, 2), writes(w, 3), number(w, 4), number(w, 5));
    else if (strcmp(w[0], "connect") == 0)
        connects(number(w, 1), number(w, 2));
    else if (strcmp(w[0], "credentials") == 0)
        credentials(number(w, 1), number(w, 2));
    else if (strcmp(w[0], "memory") == 0)
        memory(number(w, 1), number(w, 2), number(w, 3));
    else if (strcmp(w[0], "subject") == 0)
        start_subject();
    else if (strcmp(w[0], "checks") == 0 && w[1] && w[2])
        checks(join, w[1], w[2], number(w, 3), number(w, 4), number(w, 5), number(w, 6));
    else if (strcmp(w[0], "peer") == 0 && w[1] && w[2])
        checks(meet, w[1], w[2], number(w, 3), number(w, 4), number(w, 5), number(w, 6));
    else if (strcmp(w[0], "jobs") == 0 && w[1] && w[2])
        jobs(w[1], w[2], number(w, 3), number(w, 4));
    else if (strcmp(w[0], "list") == 0)
        list_units(number(w, 1));
    else if (strcmp(w[0], "first") == 0 && w[1])
        first_check(w[1]);
    else
        fail("no command %s", w[0]);
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (argc < 2)
        fail("which socket?");
    if (argc == 3 && strcmp(argv[1], "daemon") == 0)
        host_daemon(argv[2]);
    if (argc == 3 && strcmp(argv[1], "broker") == 0)
        host_broker(argv[2]);
    if (argc == 3 && strcmp(argv[1], "systemd") == 0) {
        bus_path = argv[2];
        host_systemd();
    }
    bus_path = argv[1];
    named = argc > 2;
    if (named) {
        run(argv + 2);
        return 0;
    }
    char line[200];
    while (fgets(line, sizeof line, stdin)) {
        char *words[10] = {0}, *rest = line;
        for (int i = 0; i < 9 && (words[i] = strtok_r(rest, " \n", &rest)); i++)
            ;
        if (words[0])
            run(words);
    }
    return 0;
}
