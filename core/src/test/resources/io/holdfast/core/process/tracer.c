// Traces a process until standard input ends, then lets it go; says "tracing" when it has begun.
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    pid_t pid = atoi(argv[argc - 1]);
    char c;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
        return 1;
    if (write(1, "tracing\n", 8) != 8)
        return 2;
    while (read(0, &c, 1) > 0)
        ;
    return waitpid(pid, 0, __WALL) == pid ? 0 : 3;
}
