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

/* Starts a process of another user with a connection of its own, which ends with this one. Comes before all else: it is
 * forked off, and is to share no connection. */
void start_subject(void);

/* Questions to the authority about that process, with the action as the word, or to the manager about the unit of the
 * process whose number is the word: so many, or if 0 for so long. The answer ends with the p50 and p99 in
 * nanoseconds if the window is 1. They go over a bus (join), or to a peer at once (meet). */
void checks(struct connection *(*connect)(void), const char *kind, const char *word, bool expected, int window,
            int count, int milliseconds);

/* Asks until there is an authority that answers. */
void first_check(const char *action);

/* Calls of the manager at the socket, with so many under way, until the job of each is done. A unit that ends in @ stands
 * for its instances 0, 1, …; else it is one unit. */
void jobs(const char *method, const char *unit, int count, int window);

/* Its list of all units, so many times, one after the other. */
void list_units(int count);

/* Becomes a systemd1 that knows the unit of everybody. */
void host_systemd(void) __attribute__((noreturn));

/* Become a bus of the others, open to all, at a socket's path. */
void host_broker(const char *path) __attribute__((noreturn));
void host_daemon(const char *path) __attribute__((noreturn));

#endif
