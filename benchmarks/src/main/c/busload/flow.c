/* Messages between clients: each one is counted and compared with the one that must come next. */
#include "busload.h"

#include <stdio.h>
#include <stdlib.h>

enum { STAMP = 4, STAMP_FROM_END = 8 }; /* a unique mark in every body */

static const char PATH[] = "/io/holdfast/Load", INTERFACE[] = "io.holdfast.Load";

/* A message of which many are sent. */
struct pattern {
    struct buffer message;
    uint32_t body_length;
};

static struct connection *sender, *receivers[1000];
static int receiver_count;
static struct pattern pattern, reply_pattern;
static uint64_t sent, received[1000]; /* messages; by each receiver */
static enum writes reply_writes;

/* A body of exactly that many bytes: a string up to 32 KiB, an array of bytes above. */
static struct pattern pattern_of(struct head head, uint32_t bytes) {
    struct pattern p = {.body_length = bytes};
    struct buffer body = {0};
    if (bytes > 0) {
        bool text = bytes <= 32 * 1024;
        if (bytes < 16)
            fail("a body has no or at least 16 bytes");
        uint32_t length = text ? bytes - 5 : bytes - 4;
        put_u32(&body, length);
        for (uint32_t i = 0; i < length; i++)
            put_byte(&body, 'a' + i % 26);
        if (text)
            put_byte(&body, 0);
        head.signature = text ? "s" : "ay";
    }
    put_message(&p.message, &head, bytes ? &body : NULL);
    free(body.bytes);
    return p;
}

static inline uint32_t stamp(uint32_t serial) {
    return 0x61616161 + (serial & 15) + ((serial >> 4 & 15) << 8) + ((serial >> 8 & 15) << 16) +
           ((serial >> 12 & 15) << 24); /* four letters */
}

static inline void renew(struct pattern *p, uint32_t serial) {
    store_u32(p->message.bytes + SERIAL_AT, serial);
    if (p->body_length)
        store_u32(p->message.bytes + p->message.end - STAMP_FROM_END, stamp(serial));
}

/* Sends one more message, at once or with the next flush. */
static void emit(struct connection *c, struct pattern *p, enum writes writes) {
    renew(p, ++c->serial);
    if (writes == EACH)
        send_bytes(c, p->message.bytes, p->message.end);
    else
        put(&c->out, p->message.bytes, p->message.end);
}

static inline void check(const struct view *v, int type) {
    if (v->bytes[TYPE_AT] != type) {
        if (v->bytes[TYPE_AT] == ERROR)
            fail_by_error(v);
        fail("a message of type %d, not %d", v->bytes[TYPE_AT], type);
    }
}

static void take_message(struct connection *c, const struct view *v) {
    check(v, pattern.message.bytes[TYPE_AT]);
    uint32_t serial = load_u32(v->bytes + SERIAL_AT);
    if (serial != c->expected)
        fail("message %u came to %s where %u was next", serial, c->name, c->expected);
    if (v->body_length != pattern.body_length ||
        (v->body_length && load_u32(v->body + v->body_length - STAMP_FROM_END) != stamp(serial)))
        fail("message %u has another body", serial);
    c->expected++;
    received[c->number]++;
}

static void take_call(struct connection *c, const struct view *v) {
    take_message(c, v);
    store_u32(reply_pattern.message.bytes + REPLY_SERIAL_AT, load_u32(v->bytes + SERIAL_AT));
    emit(c, &reply_pattern, reply_writes); /* if batched: written by turn() */
}

static void take_return(struct connection *c, const struct view *v) {
    check(v, RETURN);
    static const char first[4] = {FIELD_REPLY_SERIAL, 1, 'u', 0};
    uint32_t serial = memcmp(v->bytes + FIELDS_AT, first, 4) == 0 ? load_u32(v->bytes + REPLY_SERIAL_AT)
                                                                  : field_u32(v, FIELD_REPLY_SERIAL);
    if (serial != c->expected)
        fail("the reply to %u came where that to %u was next", serial, c->expected);
    c->expected++;
    received[c->number]++;
}

/* The number of messages that all receivers have. */
static uint64_t arrived(void) {
    uint64_t least = received[0];
    for (int i = 1; i < receiver_count; i++)
        least = received[i] < least ? received[i] : least;
    return least;
}

/* Keeps up to a window of messages in flight for that time, and waits for the last one. Batched: it writes when a
 * quarter of the window is free. */
static void run(uint32_t window, enum writes writes, int milliseconds) {
    uint64_t end = now() + milliseconds * 1000000ull;
    uint32_t least = writes == BATCHED && window >= 4 ? window / 4 : 1;
    for (;;) {
        uint64_t under_way = sent - arrived();
        if (now() >= end) {
            if (under_way == 0)
                return;
        } else if (!sender->blocked && window - under_way >= least) {
            for (uint32_t room = window - under_way; room > 0 && !sender->blocked; room--) {
                emit(sender, &pattern, writes);
                sent++;
            }
            if (!sender->blocked && sender->out.end > 0)
                flush(sender);
        }
        turn();
    }
}

static struct connection *add_receiver(void (*take)(struct connection *c, const struct view *v)) {
    struct connection *c = join();
    c->number = receiver_count;
    c->expected = sender->serial + 1;
    c->take = take;
    received[receiver_count] = 0;
    receivers[receiver_count++] = c;
    return c;
}

static void begin(void) {
    sender = join();
    sent = 0;
    receiver_count = 0;
}

static void end(void) {
    for (int i = 0; i < receiver_count; i++)
        if (receivers[i] != sender)
            leave(receivers[i]);
    leave(sender);
    free(pattern.message.bytes);
    free(reply_pattern.message.bytes);
    pattern = reply_pattern = (struct pattern){0};
}

static struct head to(struct connection *c, int flags) {
    return (struct head){
        .type = CALL, .flags = flags, .path = PATH, .interface = INTERFACE, .member = "Take", .destination = c->name};
}

void oneway(int bytes, int window, enum writes writes, int milliseconds) {
    begin();
    pattern = pattern_of(to(add_receiver(take_message), NO_REPLY), bytes);
    begin_measuring();
    run(window, writes, milliseconds);
    end_measuring("messages", sent);
    end();
}

/* The caller receives the replies itself; the callee is another connection. */
static struct connection *begin_calls(void) {
    begin();
    struct connection *callee = join();
    callee->expected = sender->serial + 1;
    callee->take = take_call;
    callee->number = 1; /* what it has received is of no interest */
    sender->expected = sender->serial + 1;
    sender->take = take_return;
    received[0] = 0;
    receivers[receiver_count++] = sender;
    pattern = pattern_of(to(callee, 0), 0);
    reply_pattern = pattern_of(
        (struct head){.type = RETURN, .flags = NO_REPLY, .reply_serial = 1, .destination = sender->name}, 0);
    return callee;
}

void calls(int window, enum writes writes, int milliseconds) {
    struct connection *callee = begin_calls();
    reply_writes = writes;
    begin_measuring();
    run(window, writes, milliseconds);
    end_measuring("calls", sent);
    leave(callee);
    end();
}

static int by_value(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

void roundtrip(int milliseconds) {
    enum { MOST = 1 << 20 };
    static uint32_t nanoseconds[MOST];
    struct connection *callee = begin_calls();
    reply_writes = EACH;
    uint64_t start = now(), end_time = start + milliseconds * 1000000ull;
    begin_measuring();
    while (start < end_time && sent < MOST) {
        emit(sender, &pattern, EACH);
        uint32_t call = sender->serial;
        while (callee->expected == call)
            pull(callee, 0);
        while (sender->expected == call)
            pull(sender, 0);
        uint64_t stop = now();
        nanoseconds[sent++] = stop - start;
        start = stop;
    }
    end_measuring("calls", sent);
    qsort(nanoseconds, sent, sizeof *nanoseconds, by_value);
    answer("p50_ns", nanoseconds[sent / 2]);
    answer("p99_ns", nanoseconds[sent * 99 / 100]);
    leave(callee);
    end();
}

/* Rules of other clients that do not match, though each shares most of its keys with the signal: a quarter each has
 * another path, another interface, another sender, another first argument. */
static void add_rules_of_others(struct connection **others, int count, int rules) {
    for (int i = 0; i < rules; i++) {
        struct connection *other = others[i % count];
        char rule[500];
        const char *path = PATH, *interface = INTERFACE, *of = sender->name;
        char another[100], argument[100] = "";
        if (i % 4 == 0)
            path = another, snprintf(another, sizeof another, "%s/%d", PATH, i);
        else if (i % 4 == 1)
            interface = another, snprintf(another, sizeof another, "%s.Of%d", INTERFACE, i);
        else if (i % 4 == 2)
            of = other->name;
        else
            snprintf(argument, sizeof argument, ",arg0='other%d'", i);
        snprintf(rule, sizeof rule, "type='signal',sender='%s',path='%s',interface='%s',member='Told'%s", of, path,
                 interface, argument);
        call_bus_text(other, "AddMatch", rule);
        if (i % count == count - 1) /* a round of all */
            for (int k = 0; k < count; k++)
                await_replies(others[k]);
    }
    for (int k = 0; k < count; k++)
        await_replies(others[k]);
}

void broadcast(int subscribers, int window, enum writes writes, int rules, int milliseconds) {
    enum { OTHERS = 100 };
    struct connection *others[OTHERS];
    begin();
    int other_count = rules > 0 ? OTHERS : 0;
    for (int i = 0; i < other_count; i++)
        others[i] = join();
    add_rules_of_others(others, other_count, rules);
    char rule[300];
    snprintf(rule, sizeof rule, "type='signal',sender='%s',path='%s',interface='%s',member='Told'", sender->name, PATH,
             INTERFACE);
    for (int i = 0; i < subscribers; i++) {
        struct connection *c = add_receiver(take_reply);
        call_bus_text(c, "AddMatch", rule);
        await_replies(c);
        c->take = take_message;
    }
    pattern = pattern_of((struct head){.type = SIGNAL, .flags = NO_REPLY, .path = PATH, .interface = INTERFACE, .member = "Told"},
                         16);
    begin_measuring();
    run(window, writes, milliseconds);
    end_measuring("deliveries", (double)sent * subscribers);
    for (int i = 0; i < other_count; i++)
        leave(others[i]);
    end();
}
