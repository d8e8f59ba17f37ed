/* Requests to a service manager at its private socket: each counts until its job is done. */
#define _GNU_SOURCE
#include "busload.h"

#include <stdio.h>
#include <stdlib.h>

#define SYSTEMD "org.freedesktop.systemd1"

static const char *prefix;
static uint32_t removed;

static const char *string_at(const struct view *v, size_t *at) {
    *at = aligned(*at, 4);
    if (*at + 4 > v->body_length)
        fail("the manager's signal ends early");
    size_t length = load_u32(v->body + *at), begin = *at + 4;
    if (begin + length >= v->body_length)
        fail("the manager's signal ends early");
    *at = begin + length + 1;
    return v->body + begin;
}

/* JobRemoved: the id of the job, its path, its unit, its result. */
static void take_job(struct connection *c, const struct view *v) {
    const char *member = field(v, 3);
    take_reply(c, v);
    if (v->bytes[TYPE_AT] != SIGNAL || !member || strcmp(member + 4, "JobRemoved") != 0)
        return;
    size_t at = 4;
    string_at(v, &at);
    const char *unit = string_at(v, &at), *result = string_at(v, &at);
    if (strncmp(unit, prefix, strlen(prefix)) != 0)
        return;
    if (strcmp(result, "done") != 0)
        fail("the job of %s ended as %s", unit, result);
    removed++;
}

static void call_manager(struct connection *c, const char *member, const char *unit) {
    struct buffer message = {0}, body = {0};
    if (unit) {
        put_string(&body, unit);
        put_string(&body, "replace");
    }
    put_message(&message,
                &(struct head){.type = CALL,
                               .serial = ++c->serial,
                               .path = "/org/freedesktop/systemd1",
                               .interface = SYSTEMD ".Manager",
                               .member = member,
                               .signature = unit ? "ss" : NULL},
                unit ? &body : NULL);
    c->awaited++;
    send_bytes(c, message.bytes, message.end);
    free(message.bytes);
    free(body.bytes);
}

void jobs(const char *method, const char *unit, int count, int window) {
    struct connection *c = meet();
    c->take = take_job;
    prefix = unit;
    removed = 0;
    call_manager(c, "Subscribe", NULL);
    await_replies(c);
    begin_measuring();
    for (uint32_t sent = 0; removed < (uint32_t)count;) {
        for (; sent < (uint32_t)count && sent - removed < (uint32_t)window; sent++) {
            char name[100];
            if (strchr(unit, '@'))
                snprintf(name, sizeof name, "%s%u.service", unit, sent);
            else
                snprintf(name, sizeof name, "%s", unit);
            call_manager(c, method, name);
        }
        turn();
    }
    await_replies(c);
    end_measuring("jobs", count);
    leave(c);
}

void list_units(int count) {
    struct connection *c = meet();
    c->take = take_reply;
    begin_measuring();
    for (int i = 0; i < count; i++) {
        call_manager(c, "ListUnits", NULL);
        await_replies(c);
    }
    end_measuring("lists", count);
    leave(c);
}
