/* Connections that come and go, the bus's signals about them, and their cost. */
#define _GNU_SOURCE
#include "busload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

static struct connection *arrivals[64];
static int arrival_count;

static void take_hello(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == ERROR)
        fail_by_error(v);
    if (v->bytes[TYPE_AT] == RETURN)
        arrivals[arrival_count++] = c;
}

static uint32_t name_count;

static void take_names(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == RETURN) {
        const char *at = v->body + 4, *end = at + load_u32(v->body);
        for (name_count = 0; at < end; name_count++)
            at += aligned(4 + load_u32(at) + 1, 4);
    }
    take_reply(c, v);
}

/* The number of names on the bus. */
static uint32_t names(struct connection *c) {
    c->take = take_names;
    call_bus(c, "ListNames", NULL, NULL);
    await_replies(c);
    return name_count;
}

/* Waits until there are at most that many names. */
static void await_names(struct connection *c, uint32_t count) {
    uint64_t deadline = now() + STALL_SECONDS * 1000000000ull;
    while (names(c) > count) {
        if (now() > deadline)
            fail("%u names are left of connections that are gone", name_count - count);
        usleep(1000);
    }
}

void connects(int parallel, int milliseconds) {
    if (parallel < 1 || parallel > 64)
        fail("1 to 64 connect at a time");
    struct connection *observer = join();
    uint32_t before = names(observer);
    uint64_t done = 0, end = now() + milliseconds * 1000000ull;
    int under_way = 0;
    begin_measuring();
    for (bool open = true; open || under_way > 0; open = now() < end) {
        for (; open && under_way < parallel; under_way++)
            visit(take_hello);
        turn();
        for (; arrival_count > 0; under_way--, done++)
            leave(arrivals[--arrival_count]);
    }
    await_names(observer, before);
    end_measuring("connects", done);
    leave(observer);
}

static ino_t own_process;

static void take_credentials(struct connection *c, const struct view *v) {
    if (v->bytes[TYPE_AT] == ERROR)
        fail_by_error(v);
    if (v->bytes[TYPE_AT] != RETURN)
        return;
    if (field_u32(v, FIELD_REPLY_SERIAL) != c->expected++)
        fail("the reply to %u came where that to %u was next", field_u32(v, FIELD_REPLY_SERIAL), c->expected - 1);
    if (field_u32(v, FIELD_UNIX_FDS) != 1 || !memmem(v->body, v->body_length, "ProcessFD", 10) || c->fd_count < 1)
        fail("credentials without ProcessFD");
    struct stat status;
    if (fstat(c->fds[0], &status) || status.st_ino != own_process)
        fail("ProcessFD is not of this process");
    close(c->fds[0]);
    memmove(c->fds, c->fds + 1, --c->fd_count * sizeof *c->fds);
    c->awaited--;
}

void credentials(int window, int milliseconds) {
    int self = pidfd_open(getpid(), 0);
    struct stat status;
    if (self < 0 || fstat(self, &status))
        fail("pidfd_open: %s", strerror(errno));
    close(self);
    own_process = status.st_ino;
    struct connection *c = join(), *subject = join();
    c->keeps_fds = true;
    c->take = take_credentials;
    c->expected = c->serial + 1;
    struct buffer body = {0}, question = {0};
    put_string(&body, subject->name);
    put_message(&question,
                &(struct head){.type = CALL,
                               .serial = 1,
                               .path = "/org/freedesktop/DBus",
                               .interface = "org.freedesktop.DBus",
                               .member = "GetConnectionCredentials",
                               .destination = "org.freedesktop.DBus",
                               .signature = "s"},
                &body);
    uint64_t sent = 0, end = now() + milliseconds * 1000000ull;
    begin_measuring();
    for (bool open = true; open || c->awaited > 0; open = now() < end) {
        for (; open && c->awaited < (uint32_t)window; c->awaited++, sent++) {
            store_u32(question.bytes + SERIAL_AT, ++c->serial);
            put(&c->out, question.bytes, question.end);
        }
        if (c->out.end > 0 && !c->blocked)
            flush(c);
        turn();
    }
    end_measuring("calls", sent);
    free(body.bytes);
    free(question.bytes);
    leave(c);
    leave(subject);
}

/* The resident size of the bus in KiB. */
static double resident(void) {
    char path[40], line[200];
    snprintf(path, sizeof path, "/proc/%d/status", bus_pid);
    FILE *file = fopen(path, "re");
    long size = -1;
    while (file && size < 0 && fgets(line, sizeof line, file))
        sscanf(line, "VmRSS: %ld", &size);
    if (file)
        fclose(file);
    if (size < 0)
        fail("%s: no VmRSS", path);
    return size;
}

static double settled(int milliseconds) {
    usleep(milliseconds * 1000);
    return resident();
}

void memory(int connections, int rules, int settle_milliseconds) {
    struct connection *observer = join(), **all = calloc(connections, sizeof *all);
    uint32_t before = names(observer);
    answer("idle_kib", settled(settle_milliseconds));
    for (int i = 0; i < connections; i++)
        all[i] = join();
    answer("connected_kib", settled(settle_milliseconds));
    for (int i = 0; i < rules; i++) {
        char rule[200];
        snprintf(rule, sizeof rule,
                 "type='signal',sender='%s',path='/io/holdfast/load/%d',interface='org.freedesktop.DBus.Properties'",
                 observer->name, i);
        call_bus_text(all[i % connections], "AddMatch", rule);
        if (i % connections == connections - 1)
            for (int k = 0; k < connections; k++)
                await_replies(all[k]);
    }
    for (int k = 0; k < connections; k++)
        await_replies(all[k]);
    answer("ruled_kib", settled(settle_milliseconds));
    for (int i = 0; i < connections; i++)
        leave(all[i]);
    await_names(observer, before);
    answer("after_kib", settled(settle_milliseconds));
    leave(observer);
    free(all);
}
