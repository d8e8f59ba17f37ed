/* Checks of an authority on the bus, about a process of another user, and the systemd that returns its unit. */
#define _GNU_SOURCE
#include "busload.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define AUTHORITY "org.freedesktop.PolicyKit1"
#define SYSTEMD "org.freedesktop.systemd1"

enum { USER = 1, MOST = 1 << 20 }; /* root may do everything, so the subject is another user */

enum kind { PING, BY_PID, BY_PIDFD, BY_NAME, ENUMERATE, UNIT };
static const char *const kinds[] = {"ping", "pid", "pidfd", "name", "enumerate", "unit"};

static struct {
    pid_t pid;
    int pidfd;
    char name[64];
} subject;

static struct buffer question;
static bool expects_decision, authorized;
static uint32_t answers;

void start_subject(void) {
    int ends[2];
    if (subject.pid || bus_pid)
        fail("the subject is to be there once, and before all else");
    if (pipe(ends) || (subject.pid = fork()) < 0)
        fail("fork: %s", strerror(errno));
    if (subject.pid == 0) {
        close(ends[0]);
        if (setgroups(0, NULL) || setgid(USER) || setuid(USER) || prctl(PR_SET_PDEATHSIG, SIGKILL))
            fail("cannot become user %d: %s", USER, strerror(errno));
        struct connection *c = join();
        if (write(ends[1], c->name, sizeof c->name) != sizeof c->name)
            fail("write: %s", strerror(errno));
        for (;;)
            turn_at_leisure();
    }
    close(ends[1]);
    if (read(ends[0], subject.name, sizeof subject.name) != sizeof subject.name)
        fail("the subject did not come to the bus");
    close(ends[0]);
    if ((subject.pidfd = pidfd_open(subject.pid, 0)) < 0)
        fail("pidfd_open: %s", strerror(errno));
    answer("pid", subject.pid);
}

static void put_entry(struct buffer *b, const char *key, const char *signature) {
    put_pad(b, 8);
    put_string(b, key);
    put_signature(b, signature);
}

static void put_check(struct buffer *b, enum kind kind, const char *action) {
    put_pad(b, 8);
    put_string(b, kind == BY_NAME ? "system-bus-name" : "unix-process");
    struct array details = begin_array(b, 8);
    if (kind == BY_NAME) {
        put_entry(b, "name", "s");
        put_string(b, subject.name);
    } else {
        put_entry(b, kind == BY_PID ? "pid" : "pidfd", kind == BY_PID ? "u" : "h");
        put_u32(b, kind == BY_PID ? (uint32_t)subject.pid : 0);
        if (kind == BY_PID) {
            put_entry(b, "start-time", "t");
            put_u64(b, 0);
        }
        put_entry(b, "uid", "i");
        put_u32(b, USER);
    }
    end_array(b, details);
    put_string(b, action);
    end_array(b, begin_array(b, 8));
    put_u32(b, 0); /* no dialog */
    put_string(b, "");
}

static void make_question(enum kind kind, const char *action) {
    struct buffer body = {0};
    struct head head = {.type = CALL,
                        .serial = 1,
                        .path = "/org/freedesktop/PolicyKit1/Authority",
                        .interface = AUTHORITY ".Authority",
                        .member = "CheckAuthorization",
                        .destination = AUTHORITY,
                        .signature = "(sa{sv})sa{ss}us",
                        .fds = kind == BY_PIDFD};
    if (kind == PING) {
        head.interface = "org.freedesktop.DBus.Peer";
        head.member = "Ping";
        head.signature = NULL;
    } else if (kind == ENUMERATE) {
        head.member = "EnumerateActions";
        head.signature = "s";
        put_string(&body, "C");
    } else if (kind == UNIT) {
        head.path = "/org/freedesktop/systemd1";
        head.interface = SYSTEMD ".Manager";
        head.member = "GetUnitByPIDFD";
        head.destination = SYSTEMD;
        head.signature = "h";
        head.fds = 1;
        put_u32(&body, 0);
    } else {
        put_check(&body, kind, action);
    }
    question.start = question.end = 0;
    put_message(&question, &head, body.end ? &body : NULL);
    free(body.bytes);
    expects_decision = kind == BY_PID || kind == BY_PIDFD || kind == BY_NAME;
}

static void take_decision(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == ERROR)
        fail_by_error(v);
    if (v->bytes[TYPE_AT] != RETURN)
        return;
    if (expects_decision && (v->body_length < 12 || load_u32(v->body) != authorized))
        fail("the authority decides otherwise: %u", v->body_length < 12 ? 2 : load_u32(v->body));
    c->awaited--;
    answers++;
}

static void put_question(struct connection *c, enum kind kind) {
    store_u32(question.bytes + SERIAL_AT, ++c->serial);
    c->awaited++;
    if (kind == BY_PIDFD || kind == UNIT)
        send_with_fd(c->fd, &question, subject.pidfd);
    else
        send_bytes(c, question.bytes, question.end);
}

static int by_size(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

static void one_by_one(struct connection *c, enum kind kind, int count, int milliseconds) {
    static uint32_t nanoseconds[MOST];
    uint32_t done = 0;
    uint64_t start = now(), end = start + milliseconds * 1000000ull;
    begin_measuring();
    while (done < MOST && (count > 0 ? done < (uint32_t)count : start < end)) {
        put_question(c, kind);
        while (c->awaited > 0)
            pull(c, 0);
        uint64_t stop = now();
        nanoseconds[done++] = stop - start;
        start = stop;
    }
    end_measuring("checks", done);
    qsort(nanoseconds, done, sizeof *nanoseconds, by_size);
    answer("p50_ns", nanoseconds[done / 2]);
    answer("p99_ns", nanoseconds[done * 99 / 100]);
}

static void many_at_once(struct connection *c, enum kind kind, int window, int count, int milliseconds) {
    uint64_t sent = 0, end = now() + milliseconds * 1000000ull;
    begin_measuring();
    for (bool open = true; open || c->awaited > 0; open = count > 0 ? sent < (uint64_t)count : now() < end) {
        for (; open && c->awaited < (uint32_t)window; sent++)
            put_question(c, kind);
        turn();
    }
    end_measuring("checks", sent);
}

/* Makes the process with that PID the subject. */
static void hold(const char *number) {
    if (subject.pid)
        close(subject.pidfd);
    subject.pid = atoi(number);
    if ((subject.pidfd = pidfd_open(subject.pid, 0)) < 0)
        fail("pidfd_open of %s: %s", number, strerror(errno));
}

void checks(struct connection *(*connect)(void), const char *kind_name, const char *word, bool expected, int window,
            int count, int milliseconds) {
    enum kind kind = 0;
    while (strcmp(kinds[kind], kind_name) != 0)
        if (++kind == sizeof kinds / sizeof *kinds)
            fail("no kind of question %s", kind_name);
    if (kind == UNIT)
        hold(word);
    if (!subject.pid && kind != PING)
        fail("no subject to check");
    make_question(kind, word);
    authorized = expected;
    struct connection *c = connect();
    c->take = take_decision;
    if (window == 1)
        one_by_one(c, kind, count, milliseconds);
    else
        many_at_once(c, kind, window, count, milliseconds);
    leave(c);
}

static bool there;

static void take_presence(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == RETURN || v->bytes[TYPE_AT] == ERROR) {
        there = v->bytes[TYPE_AT] == RETURN;
        c->awaited--;
    }
}

void first_check(const char *action) {
    if (!subject.pid)
        fail("no subject to check");
    make_question(BY_PID, action);
    struct connection *c = join();
    c->take = take_presence;
    uint64_t deadline = now() + STALL_SECONDS * 1000000000ull;
    for (there = false; !there;) {
        put_question(c, BY_PID);
        await_replies(c);
        if (now() > deadline)
            fail("there is no authority");
        if (!there)
            usleep(5000);
    }
    answer("there", 1);
    leave(c);
}

/* Answers the calls of an authority to systemd: the unit of a process, and a property of it. */
static void take_question(struct connection *c, const struct view *v) {
    for (uint32_t i = 0; i < c->fd_count; i++)
        close(c->fds[i]);
    c->fd_count = 0;
    const char *member = field(v, 3), *sender = field(v, 7);
    if (v->bytes[TYPE_AT] != CALL || !member || !sender)
        return;
    struct buffer body = {0}, reply = {0};
    bool unit = strcmp(member + 4, "GetUnitByPIDFD") == 0, property = strcmp(member + 4, "Get") == 0;
    if (unit) {
        put_string(&body, "/org/freedesktop/systemd1/unit/load_2eservice");
        put_string(&body, "load.service");
        put_u32(&body, 16);
        put(&body, "0123456789abcdef", 16);
    } else if (property) {
        put_signature(&body, "b");
        put_u32(&body, 1);
    } else {
        put_string(&body, "not here");
    }
    put_message(&reply,
                &(struct head){.type = unit || property ? RETURN : ERROR,
                               .serial = ++c->serial,
                               .reply_serial = load_u32(v->bytes + SERIAL_AT),
                               .error = unit || property ? NULL : "org.freedesktop.DBus.Error.UnknownMethod",
                               .destination = sender + 4,
                               .signature = unit ? "osay" : property ? "v" : "s"},
                &body);
    send_bytes(c, reply.bytes, reply.end);
    free(reply.bytes);
    free(body.bytes);
}

void host_systemd(void) {
    struct connection *c = join();
    struct buffer body = {0};
    put_string(&body, SYSTEMD);
    put_u32(&body, 0);
    call_bus(c, "RequestName", "su", &body);
    await_replies(c);
    free(body.bytes);
    c->keeps_fds = true;
    c->take = take_question;
    for (;;)
        turn_at_leisure();
}
