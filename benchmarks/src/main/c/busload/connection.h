/* Connections to a bus, all served by one thread and one epoll. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "wire.h"

#include <sys/types.h>

enum { STALL_SECONDS = 20 }; /* when nothing arrives for so long, something was lost */

struct connection {
    int fd;
    int number;      /* of the user's */
    char name[64];   /* the unique name, empty before Hello is answered */
    bool ready;      /* what follows Hello has come too */
    bool blocked;    /* waits until it can write again */
    bool visitor;    /* is not to wait for what follows Hello */
    bool keeps_fds;  /* what is received may bring descriptors */
    int lines;       /* of the authentication, to come */
    uint32_t serial; /* the last that was used */
    uint32_t expected;
    uint32_t awaited; /* replies to come, see take_reply */
    uint32_t fds[16], fd_count;
    struct buffer in, out;
    void (*take)(struct connection *c, const struct view *v);
    struct connection *next;
};

/* The bus that this program uses, and the process that listens there. */
extern const char *bus_path;
extern pid_t bus_pid;

/* Begins to connect: authentication and Hello are one write; take receives every message. */
struct connection *visit(void (*take)(struct connection *c, const struct view *v));

/* Connects, and returns when no message without a request will follow. */
struct connection *join(void);

/* Connects to a peer that is not a bus: without Hello. */
struct connection *meet(void);
void leave(struct connection *c);

/* Sends at once what the socket takes, and the rest when there is room. */
void send_bytes(struct connection *c, const char *bytes, size_t length);
void flush(struct connection *c);

/* Receives once, and passes complete messages to take. */
void pull(struct connection *c, int flags);

/* Waits for an event, and handles it. */
void turn(void);

/* The same, without the time limit. */
void turn_at_leisure(void);

/* Sends a call to the bus itself, whose reply take_reply awaits. */
void call_bus(struct connection *c, const char *member, const char *signature, const struct buffer *body);
void call_bus_text(struct connection *c, const char *member, const char *text);
void await_replies(struct connection *c);

/* Sends a whole message with a descriptor, which stays the caller's. */
void send_with_fd(int socket, const struct buffer *b, int fd);

/* Counts replies, ends the program at an error, and ignores signals. */
void take_reply(struct connection *c, const struct view *v);
void fail_by_error(const struct view *v) __attribute__((noreturn));

/* The client's side of the authentication on a socket. */
void put_authentication(struct buffer *b);

#endif
