/* What the load generator can measure; see busload.c. */
#ifndef BUSLOAD_H
#define BUSLOAD_H

#include "connection.h"

/* How the sender writes: all that may be under way at once, or each message on its own. */
enum writes { BATCHED, EACH };

/* Gives a value of the answer. */
void answer(const char *name, double value);

/* Around what is measured: answers operations a second and the processor time of the bus for each. */
void begin_measuring(void);
void end_measuring(const char *operations, double count);

void roundtrip(int milliseconds);
void oneway(int bytes, int window, enum writes writes, int milliseconds);
void calls(int window, enum writes writes, int milliseconds);
void broadcast(int subscribers, int window, enum writes writes, int rules, int milliseconds);
void connects(int parallel, int milliseconds);
void credentials(int window, int milliseconds);
void memory(int connections, int rules, int settle_milliseconds);

/* Become a bus of the others, open to all, at a socket's path. */
void host_broker(const char *path) __attribute__((noreturn));
void host_daemon(const char *path) __attribute__((noreturn));

#endif
