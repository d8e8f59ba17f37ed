/* What a user does to paths that root opens: hostile exchange A B | lease FILE | lock FILE.
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

static int exchange(const char *one, const char *other)
{
    if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0)
        return fail("renameat2");
    if (ready())
        return 1;
    while (!ended(0))
        for (int i = 0; i < 100; i++)
            renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
    return 0;
}

static int hold(const char *file, int lease)
{
    int fd = open(file, lease ? O_RDONLY : O_RDWR);
    if (fd < 0)
        return fail("open");
    signal(SIGIO, SIG_IGN); /* somebody wants to open the leased file */
    if (lease ? fcntl(fd, F_SETLEASE, F_WRLCK) : flock(fd, LOCK_EX))
        return fail("lock");
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!lease && fcntl(fd, F_SETLK, &whole) != 0)
        return fail("fcntl");
    if (ready())
        return 1;
    ended(-1);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "exchange") == 0)
        return exchange(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "lease") == 0)
        return hold(argv[2], 1);
    if (argc == 3 && strcmp(argv[1], "lock") == 0)
        return hold(argv[2], 0);
    return 2;
}
