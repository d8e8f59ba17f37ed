/* What the load generator can measure; see busload.c. */
#ifndef BUSLOAD_H
#define BUSLOAD_H

#include "connection.h"

/* How the sender writes: everything that may be in flight at once, or each message in a write of its own. */
enum writes { BATCHED, EACH };

/* Adds a value to the answer. */
void answer(const char *name, double value);

/* Begin and end a measurement; the end answers operations per second and the processor time of the bus for each. */
void begin_measuring(void);
void end_measuring(const char *operations, double count);

void roundtrip(int milliseconds);
void oneway(int bytes, int window, enum writes writes, int milliseconds);
void calls(int window, enum writes writes, int milliseconds);
void broadcast(int subscribers, int window, enum writes writes, int rules, int milliseconds);
void connects(int parallel, int milliseconds);
void credentials(int window, int milliseconds);
void memory(int connections, int rules, int settle_milliseconds);

/* Starts a process of another user with its own connection; it ends with this process. Call it first: it is forked, and
 * must not share a connection. */
void start_subject(void);

/* Checks of the authority about that process, with the action as the word, or calls to the manager for the unit of the
 * process whose PID is the word: that many, or for that long if 0. If the window is 1, the answer ends with the p50 and
 * p99 in nanoseconds. They go over a bus (join), or directly to a peer (meet). */
void checks(struct connection *(*connect)(void), const char *kind, const char *word, bool expected, int window,
            int count, int milliseconds);

/* Repeats a check until there is an authority that answers. */
void first_check(const char *action);

/* Calls the manager at the socket, with a window of calls in flight, until the job of each is done. A unit that ends in
 * @ stands for its instances 0, 1, …; any other name is one unit. */
void jobs(const char *method, const char *unit, int count, int window);

/* Calls ListUnits of the manager, so many times, one after the other. */
void list_units(int count);

/* Becomes a systemd1 that returns a unit for every process. */
void host_systemd(void) __attribute__((noreturn));

/* Become one of the reference buses, open to all, at a socket's path. */
void host_broker(const char *path) __attribute__((noreturn));
void host_daemon(const char *path) __attribute__((noreturn));

#endif
