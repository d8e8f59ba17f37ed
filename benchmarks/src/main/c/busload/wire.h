/* D-Bus messages as bytes, little-endian: the part of the wire format that the load generator needs. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Ends the program with a line on standard error. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Nanoseconds of the monotonic clock. */
uint64_t now(void);

/* Bytes from start to end are in use. */
struct buffer {
    char *bytes;
    size_t start, end, size;
};

/* Makes room for n more bytes. */
void reserve(struct buffer *b, size_t n);
void put(struct buffer *b, const void *bytes, size_t n);
void put_pad(struct buffer *b, size_t alignment);
void put_byte(struct buffer *b, uint8_t value);
void put_u32(struct buffer *b, uint32_t value);
void put_u64(struct buffer *b, uint64_t value);
void put_string(struct buffer *b, const char *text);
void put_signature(struct buffer *b, const char *text);

/* An array being written. */
struct array {
    size_t length_at, begin;
};
struct array begin_array(struct buffer *b, size_t element_alignment);
void end_array(struct buffer *b, struct array a);

enum { CALL = 1, RETURN = 2, ERROR = 3, SIGNAL = 4 };
enum { NO_REPLY = 1 };

/* Offsets in a message. */
enum { TYPE_AT = 1, BODY_LENGTH_AT = 4, SERIAL_AT = 8, FIELDS_LENGTH_AT = 12, FIELDS_AT = 16 };
enum { REPLY_SERIAL_AT = 20 }; /* in the messages of busload, which begin with that field */

/* A header; fields that are 0 or NULL are left out. */
struct head {
    uint8_t type, flags;
    uint32_t serial, reply_serial, fds;
    const char *path, *interface, *member, *error, *destination, *signature;
};

/* A whole message at the end of a buffer that is empty or ends on a multiple of 8. */
void put_message(struct buffer *b, const struct head *head, const struct buffer *body);

/* A message that was received. */
struct view {
    const char *bytes, *body;
    size_t length;
    uint32_t fields_length, body_length;
};

enum { FIELD_ERROR_NAME = 4, FIELD_REPLY_SERIAL = 5, FIELD_UNIX_FDS = 9 };

/* Where a field's value begins (behind its padding), or NULL. */
const char *field(const struct view *v, uint8_t code);
uint32_t field_u32(const struct view *v, uint8_t code);

/* The string with which a body begins. */
const char *first_string(const struct view *v);

static inline uint32_t load_u32(const char *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static inline void store_u32(char *at, uint32_t value) {
    memcpy(at, &value, 4);
}

static inline size_t aligned(size_t at, size_t alignment) {
    return (at + alignment - 1) & ~(alignment - 1);
}

#endif
