/* What a user does to paths that root opens: hostile exchange A B [A B]... | lease FILE... | lock FILE...
   Says "ready" once it has begun, and ends with its standard input. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int ended(int timeout)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, timeout) > 0;
}

static int ready(void)
{
    return write(1, "ready\n", 6) != 6;
}

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int exchange(int count, char **paths)
{
    for (int i = 0; i + 1 < count; i += 2)
        if (renameat2(AT_FDCWD, paths[i], AT_FDCWD, paths[i + 1], RENAME_EXCHANGE) != 0)
            return fail(paths[i]);
    if (ready())
        return 1;
    while (!ended(0))
        for (int turn = 0; turn < 100; turn++)
            for (int i = 0; i + 1 < count; i += 2)
                renameat2(AT_FDCWD, paths[i], AT_FDCWD, paths[i + 1], RENAME_EXCHANGE);
    return 0;
}

static int hold(int count, char **files, int lease)
{
    signal(SIGIO, SIG_IGN); /* somebody wants to open a leased file */
    for (int i = 0; i < count; i++) {
        int fd = open(files[i], lease ? O_RDONLY : O_RDWR);
        if (fd < 0)
            return fail(files[i]);
        if (lease ? fcntl(fd, F_SETLEASE, F_WRLCK) : flock(fd, LOCK_EX))
            return fail(files[i]);
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (!lease && fcntl(fd, F_SETLK, &whole) != 0)
            return fail(files[i]);
    }
    if (ready())
        return 1;
    ended(-1);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "exchange") == 0)
        return exchange(argc - 2, argv + 2);
    if (strcmp(argv[1], "lease") == 0)
        return hold(argc - 2, argv + 2, 1);
    if (strcmp(argv[1], "lock") == 0)
        return hold(argc - 2, argv + 2, 0);
    return 2;
}
