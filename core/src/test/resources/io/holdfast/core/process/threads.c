/* A process of two threads, the first of which may end before the other.
 *
 *   threads leader-stays | leader-exits | again N
 *
 * Writes "ok TID" (of the second thread) to the descriptor READY_FD when things are as asked for. Then the
 * second thread waits for a signal: on USR1 it ends the process with status 7, on USR2 it executes sleep;
 * with "again", it first executes itself N times over, each time out of its second thread. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigset_t signals;
static int leader_exits, again;

/* The leader is a zombie as long as another thread lives. */
static void await_leader(void) {
    char path[64], stat[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
    for (;;) {
        FILE *file = fopen(path, "re");
        if (!file) return;
        size_t n = fread(stat, 1, sizeof stat - 1, file);
        stat[n] = 0;
        fclose(file);
        if (strstr(stat, ") Z ")) return;
        usleep(1000);
    }
}

static void execute_again(void) {
    char left[16];
    if (!again) return;
    snprintf(left, sizeof left, "%d", again - 1);
    execl("/proc/self/exe", "threads", "go-on", left, (char *)0);
    _exit(126);
}

static void *second(void *going_on) {
    if (going_on) {
        execute_again();
        execl("/bin/sleep", "sleep", "1000", (char *)0);
        _exit(126);
    }
    int ready = atoi(getenv("READY_FD")), signal = 0;
    if (leader_exits) await_leader();
    dprintf(ready, "ok %ld\n", syscall(SYS_gettid));
    close(ready);
    sigwait(&signals, &signal);
    if (signal == SIGUSR2) {
        execute_again();
        execl("/bin/sleep", "sleep", "1000", (char *)0);
        _exit(126);
    }
    _exit(7);
}

int main(int count, char **arguments) {
    pthread_t thread;
    leader_exits = count > 1 && !strcmp(arguments[1], "leader-exits");
    int going_on = count > 2 && !strcmp(arguments[1], "go-on");
    if (count > 2) again = atoi(arguments[2]);
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, 0);
    if (pthread_create(&thread, 0, second, going_on ? &again : 0)) return 125;
    if (leader_exits) syscall(SYS_exit, 0);
    for (;;) pause();
}
