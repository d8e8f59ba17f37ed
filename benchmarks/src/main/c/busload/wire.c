#include "wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("busload: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void reserve(struct buffer *b, size_t n) {
    if (b->size - b->end >= n)
        return;
    size_t size = b->size ? b->size : 256;
    while (size < b->end + n)
        size *= 2;
    b->bytes = realloc(b->bytes, size);
    b->size = size;
    if (!b->bytes)
        fail("out of memory");
}

void put(struct buffer *b, const void *bytes, size_t n) {
    reserve(b, n);
    memcpy(b->bytes + b->end, bytes, n);
    b->end += n;
}

void put_pad(struct buffer *b, size_t alignment) {
    static const char zeros[8];
    put(b, zeros, aligned(b->end, alignment) - b->end);
}

void put_byte(struct buffer *b, uint8_t value) {
    put(b, &value, 1);
}

void put_u32(struct buffer *b, uint32_t value) {
    put_pad(b, 4);
    put(b, &value, 4);
}

void put_u64(struct buffer *b, uint64_t value) {
    put_pad(b, 8);
    put(b, &value, 8);
}

void put_string(struct buffer *b, const char *text) {
    put_u32(b, strlen(text));
    put(b, text, strlen(text) + 1);
}

void put_signature(struct buffer *b, const char *text) {
    put_byte(b, strlen(text));
    put(b, text, strlen(text) + 1);
}

struct array begin_array(struct buffer *b, size_t element_alignment) {
    put_u32(b, 0);
    size_t length_at = b->end - 4;
    put_pad(b, element_alignment);
    return (struct array){length_at, b->end};
}

void end_array(struct buffer *b, struct array a) {
    store_u32(b->bytes + a.length_at, b->end - a.begin);
}

static void put_field(struct buffer *b, uint8_t code, const char *signature, const char *text) {
    if (!text)
        return;
    put_pad(b, 8);
    put_byte(b, code);
    put_signature(b, signature);
    if (signature[0] == 'g')
        put_signature(b, text);
    else
        put_string(b, text);
}

static void put_number_field(struct buffer *b, uint8_t code, uint32_t value) {
    if (!value)
        return;
    put_pad(b, 8);
    put_byte(b, code);
    put_signature(b, "u");
    put_u32(b, value);
}

void put_message(struct buffer *b, const struct head *head, const struct buffer *body) {
    put(b, (uint8_t[]){'l', head->type, head->flags, 1}, 4);
    put_u32(b, body ? body->end : 0);
    put_u32(b, head->serial);
    struct array fields = begin_array(b, 8);
    put_number_field(b, FIELD_REPLY_SERIAL, head->reply_serial); /* first: see REPLY_SERIAL_AT */
    put_field(b, 1, "o", head->path);
    put_field(b, 2, "s", head->interface);
    put_field(b, 3, "s", head->member);
    put_field(b, FIELD_ERROR_NAME, "s", head->error);
    put_field(b, 6, "s", head->destination);
    put_field(b, 8, "g", head->signature);
    put_number_field(b, FIELD_UNIX_FDS, head->fds);
    end_array(b, fields);
    put_pad(b, 8);
    if (body)
        put(b, body->bytes, body->end);
}

const char *field(const struct view *v, uint8_t code) {
    size_t at = FIELDS_AT, end = FIELDS_AT + v->fields_length;
    while (at < end) {
        at = aligned(at, 8);
        uint8_t this = v->bytes[at];
        char type = v->bytes[at + 2];
        if (v->bytes[at + 1] != 1 || v->bytes[at + 3] != 0)
            fail("a header field %u of an unknown kind", this);
        at += 4;
        const char *value = v->bytes + at;
        switch (type) {
        case 's':
        case 'o':
            at += 4 + load_u32(value) + 1;
            break;
        case 'g':
            at += 1 + (uint8_t)value[0] + 1;
            break;
        case 'u':
            at += 4;
            break;
        default:
            fail("a header field %u of type %c", this, type);
        }
        if (this == code)
            return value;
    }
    return NULL;
}

uint32_t field_u32(const struct view *v, uint8_t code) {
    const char *value = field(v, code);
    return value ? load_u32(value) : 0;
}

const char *first_string(const struct view *v) {
    return v->body_length > 4 ? v->body + 4 : "";
}
