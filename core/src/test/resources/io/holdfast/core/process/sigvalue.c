// Waits for SIGRTMIN+1 and prints who sent it, how and with which value. With an argument it first waits
// for the end of its standard input, while the signal stays pending.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>

int main(int count, char **arguments) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("ready");
    fflush(stdout);
    while (count > 1 && getchar() != EOF) {}
    siginfo_t info;
    int signal = sigwaitinfo(&set, &info);
    printf("%d %d %d %llx\n", signal, info.si_code, (int) info.si_pid,
           (unsigned long long) (size_t) info.si_value.sival_ptr);
    return 0;
}
