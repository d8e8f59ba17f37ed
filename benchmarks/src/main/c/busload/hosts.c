/* The reference buses, open to all: this process becomes the bus, so that its PID is that of the bus. */
#define _GNU_SOURCE
#include "busload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void host_daemon(const char *path) {
    static const char *const limits[] = {
        "max_incoming_bytes",       "max_outgoing_bytes",        "max_message_size",
        "max_completed_connections", "max_incomplete_connections", "max_connections_per_user",
        "max_names_per_connection", "max_match_rules_per_connection", "max_replies_per_connection"};
    char config[300];
    snprintf(config, sizeof config, "%s.conf", path);
    FILE *file = fopen(config, "we");
    if (!file)
        fail("%s: %s", config, strerror(errno));
    fprintf(file,
            "<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>\n"
            "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
            "<allow own=\"*\"/><allow user=\"*\"/></policy>\n",
            path);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        fprintf(file, "<limit name=\"%s\">%d</limit>\n", limits[i], 100000000);
    fprintf(file, "</busconfig>\n");
    fclose(file);
    char option[320];
    snprintf(option, sizeof option, "--config-file=%s", config);
    execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", option, NULL);
    fail("dbus-daemon: %s", strerror(errno));
}

/* Policy for the controller's connection: an empty policy batch would deny; these allow everything. */
static void put_batch(struct buffer *b) {
    put_pad(b, 8);
    put_u32(b, 1); /* may connect */
    put_u64(b, 1);
    struct array own = begin_array(b, 8);
    put_u32(b, 1);
    put_u64(b, 1);
    put_u32(b, 1); /* any name that begins with nothing */
    put_string(b, "");
    end_array(b, own);
    for (int direction = 0; direction < 2; direction++) { /* sending, receiving */
        struct array rules = begin_array(b, 8);
        put_u32(b, 1);
        put_u64(b, 1);
        for (int i = 0; i < 4; i++)
            put_string(b, ""); /* any name, path, interface, member */
        put_u32(b, 0);         /* any type, broadcast or not, with 0 to all descriptors */
        put_u32(b, 0);
        put_u64(b, 0);
        put_u64(b, UINT64_MAX);
        end_array(b, rules);
    }
}

#define BATCH "(bta(btbs)a(btssssuutt)a(btssssuutt))"

static void put_listener(struct buffer *to) {
    struct buffer body = {0};
    put_string(&body, "/org/bus1/DBus/Listener/0");
    put_u32(&body, 0); /* the first descriptor */
    put_signature(&body, "(a(u" BATCH ")a(buu" BATCH ")a(ss)bs)");
    put_pad(&body, 8);
    struct array by_uid = begin_array(&body, 8);
    put_u32(&body, UINT32_MAX); /* everybody */
    put_batch(&body);
    end_array(&body, by_uid);
    end_array(&body, begin_array(&body, 8)); /* by gid */
    end_array(&body, begin_array(&body, 8)); /* SELinux */
    put_u32(&body, 0);                       /* AppArmor */
    put_string(&body, "session");
    put_message(to,
                &(struct head){.type = CALL,
                               .serial = 1,
                               .fds = 1,
                               .path = "/org/bus1/DBus/Broker",
                               .interface = "org.bus1.DBus.Broker",
                               .member = "AddListener",
                               .signature = "ohv"},
                &body);
    free(body.bytes);
}

/* Answers the broker's calls; ends with the broker. */
static void serve(int socket) {
    struct buffer in = {0};
    for (bool lines = true;;) {
        reserve(&in, 65536);
        ssize_t n = recv(socket, in.bytes + in.end, in.size - in.end, 0);
        if (n <= 0)
            exit(0);
        in.end += n;
        if (lines) { /* OK and AGREE_UNIX_FD */
            char *first = memmem(in.bytes, in.end, "\r\n", 2);
            size_t rest = first ? in.end - (first + 2 - in.bytes) : 0;
            char *second = first ? memmem(first + 2, rest, "\r\n", 2) : NULL;
            if (!second)
                continue;
            in.start = second + 2 - in.bytes;
            lines = false;
        }
        while (in.end - in.start >= FIELDS_AT) {
            struct view v = {.bytes = in.bytes + in.start};
            v.fields_length = load_u32(v.bytes + FIELDS_LENGTH_AT);
            v.body_length = load_u32(v.bytes + BODY_LENGTH_AT);
            v.body = v.bytes + FIELDS_AT + aligned(v.fields_length, 8);
            v.length = v.body - v.bytes + v.body_length;
            if (in.end - in.start < v.length)
                break;
            in.start += v.length;
            if (v.bytes[TYPE_AT] == ERROR)
                fail_by_error(&v);
            if (v.bytes[TYPE_AT] == CALL) { /* ReloadConfig: there is nothing to load */
                struct buffer reply = {0};
                put_message(&reply,
                            &(struct head){.type = RETURN,
                                           .flags = NO_REPLY,
                                           .serial = 2,
                                           .reply_serial = load_u32(v.bytes + SERIAL_AT)},
                            NULL);
                send(socket, reply.bytes, reply.end, MSG_NOSIGNAL);
                free(reply.bytes);
            }
        }
        memmove(in.bytes, in.bytes + in.start, in.end - in.start);
        in.end -= in.start;
        in.start = 0;
    }
}

void host_broker(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        fail("%s: too long for a socket", path);
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), ends[2];
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, SOMAXCONN) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        fail("%s: %s", path, strerror(errno));
    pid_t controller = fork();
    if (controller < 0)
        fail("fork: %s", strerror(errno));
    if (controller == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct buffer hello = {0}, listen = {0};
        put_authentication(&hello);
        if (send(ends[1], hello.bytes, hello.end, MSG_NOSIGNAL) < 0)
            fail("the controller's send: %s", strerror(errno));
        put_listener(&listen);
        send_with_fd(ends[1], &listen, listener);
        close(listener);
        serve(ends[1]);
    }
    char end[12];
    snprintf(end, sizeof end, "%d", fcntl(ends[0], F_DUPFD, 3)); /* which stays open */
    execlp("dbus-broker", "dbus-broker", "--controller", end, "--machine-id", "0123456789abcdef0123456789abcdef",
           "--max-bytes", "100000000000", "--max-fds", "1000000", "--max-matches", "10000000", "--max-objects",
           "100000000", NULL);
    fail("dbus-broker: %s", strerror(errno));
}
