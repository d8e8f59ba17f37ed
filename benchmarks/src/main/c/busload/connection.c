#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { IN_SIZE = 512 * 1024, IN_ROOM = 128 * 1024, EVENTS = 64 };

const char *bus_path;
pid_t bus_pid;

static int epoll = -1;
static struct connection *left; /* whose buffers serve the next ones */

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

static int connect_to_bus(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(bus_path) >= sizeof address.sun_path)
        fail("%s: too long for a socket", bus_path);
    strcpy(address.sun_path, bus_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket: %s", strerror(errno));
    uint64_t deadline = now() + 30 * 1000000000ull; /* the bus may be starting */
    while (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        if ((errno != ENOENT && errno != ECONNREFUSED) || bus_pid || now() > deadline)
            fail("%s: %s", bus_path, strerror(errno));
        usleep(10000);
    }
    if (!bus_pid) {
        struct ucred peer;
        socklen_t size = sizeof peer;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
            fail("SO_PEERCRED: %s", strerror(errno));
        bus_pid = peer.pid;
    }
    return fd;
}

void put_authentication(struct buffer *b) {
    char line[100], uid[16];
    int digits = sprintf(uid, "%u", getuid());
    put(b, "\0AUTH EXTERNAL ", 15);
    for (int i = 0; i < digits; i++)
        put(b, line, sprintf(line, "%02x", uid[i]));
    const char *rest = "\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";
    put(b, rest, strlen(rest));
}

static struct connection *begin(const struct buffer *greeting, void (*take)(struct connection *c, const struct view *v)) {
    if (epoll < 0 && (epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1: %s", strerror(errno));
    struct connection *c = left;
    struct buffer in = {0}, out = {0};
    if (c) {
        left = c->next;
        in = c->in;
        out = c->out;
    } else if (!(c = malloc(sizeof *c)) || !(in.bytes = malloc(IN_SIZE))) {
        fail("out of memory");
    }
    in.start = in.end = out.start = out.end = 0;
    in.size = IN_SIZE;
    *c = (struct connection){
        .fd = connect_to_bus(), .lines = 2, .serial = 1, .in = in, .out = out, .take = take, .visitor = true};
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
    send_bytes(c, greeting->bytes, greeting->end);
    return c;
}

struct connection *visit(void (*take)(struct connection *c, const struct view *v)) {
    static struct buffer greeting;
    if (!greeting.end) {
        put_authentication(&greeting);
        struct buffer hello = {0};
        put_message(&hello,
                    &(struct head){.type = CALL,
                                   .serial = 1,
                                   .path = "/org/freedesktop/DBus",
                                   .interface = "org.freedesktop.DBus",
                                   .member = "Hello",
                                   .destination = "org.freedesktop.DBus"},
                    NULL);
        put(&greeting, hello.bytes, hello.end);
        free(hello.bytes);
    }
    return begin(&greeting, take);
}

/* Handles the reply to Hello, and NameAcquired, which is the last message without a request. */
static void take_welcome(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == ERROR)
        fail_by_error(v);
    if (v->bytes[TYPE_AT] == RETURN) {
        snprintf(c->name, sizeof c->name, "%s", first_string(v));
    } else if (strcmp(first_string(v), c->name) == 0) {
        c->ready = true;
    }
}

static struct connection *stay(struct connection *c) {
    c->visitor = false;
    struct timeval stall = {.tv_sec = STALL_SECONDS};
    if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall))
        fail("SO_RCVTIMEO: %s", strerror(errno));
    while (!c->ready)
        turn();
    c->take = take_reply;
    return c;
}

struct connection *join(void) {
    return stay(visit(take_welcome));
}

struct connection *meet(void) {
    static struct buffer greeting;
    if (!greeting.end)
        put_authentication(&greeting);
    struct connection *c = begin(&greeting, take_reply);
    while (c->lines > 0)
        turn();
    c->ready = true;
    return stay(c);
}

void leave(struct connection *c) {
    close(c->fd);
    c->fd = -1;
    c->next = left;
    left = c;
}

void send_with_fd(int socket, const struct buffer *b, int fd) {
    struct iovec part = {b->bytes, b->end};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (sendmsg(socket, &message, MSG_NOSIGNAL) != (ssize_t)b->end)
        fail("send with a descriptor: %s", strerror(errno));
}

void flush(struct connection *c) {
    struct buffer *out = &c->out;
    ssize_t n = send(c->fd, out->bytes + out->start, out->end - out->start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        fail("send to the bus: %s", strerror(errno));
    out->start += n > 0 ? n : 0;
    if (out->start == out->end)
        out->start = out->end = 0;
    bool blocked = out->end > 0;
    if (blocked != c->blocked) {
        c->blocked = blocked;
        watch(c, EPOLL_CTL_MOD, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

void send_bytes(struct connection *c, const char *bytes, size_t length) {
    ssize_t n = 0;
    if (c->out.end == 0) {
        n = send(c->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            fail("send to the bus: %s", strerror(errno));
        if (n == (ssize_t)length)
            return;
        n = n > 0 ? n : 0;
    }
    put(&c->out, bytes + n, length - n);
    if (!c->blocked) {
        c->blocked = true;
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
}

static void dispatch(struct connection *c) {
    struct buffer *in = &c->in;
    while (c->lines > 0) {
        char *line = in->bytes + in->start;
        char *end = memmem(line, in->end - in->start, "\r\n", 2);
        if (!end)
            return;
        const char *expected = c->lines == 2 ? "OK " : "AGREE_UNIX_FD";
        if (strncmp(line, expected, strlen(expected)) != 0)
            fail("the bus does not let us in: %.*s", (int)(end - line), line);
        in->start = end + 2 - in->bytes;
        c->lines--;
    }
    while (in->end - in->start >= FIELDS_AT) {
        const char *m = in->bytes + in->start;
        struct view v = {.bytes = m,
                         .fields_length = load_u32(m + FIELDS_LENGTH_AT),
                         .body_length = load_u32(m + BODY_LENGTH_AT)};
        size_t header = FIELDS_AT + aligned(v.fields_length, 8);
        v.body = m + header;
        v.length = header + v.body_length;
        if (m[0] != 'l' || m[3] != 1 || v.length > IN_SIZE)
            fail("not a message, or none of ours: it begins with %02x %02x, and has %zu bytes", m[0], m[1], v.length);
        if (in->end - in->start < v.length)
            break;
        in->start += v.length;
        c->take(c, &v);
        if (c->fd < 0)
            return;
    }
    if (in->start == in->end) {
        in->start = in->end = 0;
    } else if (in->size - in->end < IN_ROOM) {
        memmove(in->bytes, in->bytes + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
}

static ssize_t receive_with_fds(struct connection *c, int flags) {
    struct iovec part = {c->in.bytes + c->in.end, c->in.size - c->in.end};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof c->fds)];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(c->fd, &message, flags | MSG_CMSG_CLOEXEC);
    struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        size_t bytes = head->cmsg_len - CMSG_LEN(0);
        if (c->fd_count * sizeof(int) + bytes > sizeof c->fds)
            fail("more descriptors than messages");
        memcpy(c->fds + c->fd_count, CMSG_DATA(head), bytes);
        c->fd_count += bytes / sizeof(int);
    }
    return n;
}

void pull(struct connection *c, int flags) {
    ssize_t n = c->keeps_fds ? receive_with_fds(c, flags)
                             : recv(c->fd, c->in.bytes + c->in.end, c->in.size - c->in.end, flags);
    if (n == 0)
        fail("the bus has closed the connection %s", c->name);
    if (n < 0) {
        if (errno == EAGAIN && flags)
            return;
        fail("receive from the bus: %s", errno == EAGAIN ? "nothing comes" : strerror(errno));
    }
    c->in.end += n;
    dispatch(c);
}

static void turn_within(int milliseconds) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll, events, EVENTS, milliseconds);
    if (n < 0 && errno != EINTR)
        fail("epoll_wait: %s", strerror(errno));
    if (n == 0)
        fail("nothing comes from the bus for %d s: a message was lost, or it hangs", STALL_SECONDS);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (events[i].events & ~EPOLLOUT)
            pull(c, MSG_DONTWAIT);
        if (c->fd >= 0 && (c->blocked ? (events[i].events & EPOLLOUT) != 0 : c->out.end > 0))
            flush(c);
    }
}

void turn(void) {
    turn_within(STALL_SECONDS * 1000);
}

void turn_at_leisure(void) {
    turn_within(-1);
}

void call_bus(struct connection *c, const char *member, const char *signature, const struct buffer *body) {
    struct buffer message = {0};
    put_message(&message,
                &(struct head){.type = CALL,
                               .serial = ++c->serial,
                               .path = "/org/freedesktop/DBus",
                               .interface = "org.freedesktop.DBus",
                               .member = member,
                               .destination = "org.freedesktop.DBus",
                               .signature = signature},
                body);
    c->awaited++;
    send_bytes(c, message.bytes, message.end);
    free(message.bytes);
}

void call_bus_text(struct connection *c, const char *member, const char *text) {
    struct buffer body = {0};
    put_string(&body, text);
    call_bus(c, member, "s", &body);
    free(body.bytes);
}

void await_replies(struct connection *c) {
    while (c->awaited > 0)
        turn();
}

void take_reply(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == ERROR)
        fail_by_error(v);
    if (v->bytes[TYPE_AT] == RETURN)
        c->awaited--;
}

void fail_by_error(const struct view *v) {
    const char *name = field(v, FIELD_ERROR_NAME);
    fail("the bus answers %s: %s", name ? name + 4 : "an error", first_string(v));
}
