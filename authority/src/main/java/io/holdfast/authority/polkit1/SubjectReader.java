package io.holdfast.authority.polkit1;

import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads the subjects of D-Bus calls, {@code (sa{sv})}. A process that the caller identifies by PID
 * is held from then on, and marked as unsafe. The caller also passes the user that the process had
 * when it connected, as type i or, like snapd, as type u. If the user is missing beside a PID, it
 * is looked up as in polkitd, but refused where the process may have executed a set-user-ID program
 * since it connected (CVE-2013-4288): if it is root or has several users.
 */
final class SubjectReader {
    private static final long NO_UID = 0xFFFF_FFFFL;

    private final BusPeers peers;
    private final Sessions sessions;

    SubjectReader(BusPeers peers, Sessions sessions) {
        this.peers = peers;
        this.sessions = sessions;
    }

    /**
     * Reads a subject.
     *
     * @return owned by the caller
     * @throws AuthorityException FAILED if it is malformed, or there is no such subject
     */
    Subject read(Struct subject, MethodCall call) throws InterruptedException {
        Map<?, ?> details = (Map<?, ?>) subject.get(1);
        return switch ((String) subject.get(0)) {
            case "unix-process" -> process(details, call);
            case "unix-session" -> session(details);
            case "system-bus-name" -> peers.subject(uniqueName(details), call::peer);
            case String other ->
                    throw AuthorityException.failed("Unknown subject of kind `" + other + "'");
        };
    }

    /**
     * Reads a subject without a call of the bus and without reading session files.
     *
     * @return owned by the caller; empty if the subject needs either
     * @throws AuthorityException FAILED if it is malformed, or there is no such process
     */
    Optional<Subject> readNow(Struct subject, MethodCall call) {
        Map<?, ?> details = (Map<?, ?>) subject.get(1);
        return switch ((String) subject.get(0)) {
            case "unix-process" -> Optional.of(process(details, call));
            case "system-bus-name" -> peers.known(uniqueName(details)).map(Subject.class::cast);
            default -> Optional.empty();
        };
    }

    /** Reads the process in the details of a subject, as agents and helpers pass it. */
    Subject.UnixProcess process(Map<?, ?> details, MethodCall call) {
        boolean carriesDescriptors = !call.message().descriptors().isEmpty();
        return value(details, "pidfd") instanceof Handle handle && carriesDescriptors
                ? byDescriptor(details, handle, call)
                : byNumber(details);
    }

    private static Subject.UnixProcess byDescriptor(
            Map<?, ?> details, Handle handle, MethodCall call) {
        long uid = uid(details).orElseThrow(() -> noUser("it is identified by a pidfd"));
        if (handle.index() < 0 || handle.index() >= call.message().descriptors().size()) {
            throw notFound("handle " + handle.index() + ": the message has no such descriptor");
        }
        PidFd process;
        try {
            process = PidFd.adopt(call.message().descriptors().get(handle.index()));
        } catch (ErrnoException | IllegalStateException e) { // not a pidfd, or taken already
            throw notFound(String.valueOf(e.getMessage()));
        }
        try {
            if (process.isThread() || process.state() == PidFd.State.REAPED) {
                throw notFound("it is a thread, or has gone");
            }
            return Subject.UnixProcess.claimed(process, uid, Origin.DESCRIPTOR);
        } catch (ErrnoException e) {
            process.close();
            throw notFound(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            process.close();
            throw e;
        }
    }

    private static AuthorityException notFound(String reason) {
        return AuthorityException.failed("Process not found: " + reason);
    }

    private static Subject.UnixProcess byNumber(Map<?, ?> details) {
        if (!(value(details, "pid") instanceof Long pid) || !isUint32(details, "pid")) {
            throw AuthorityException.failed(
                    "a subject of kind `unix-process' needs a pid of type u");
        }
        if (!(value(details, "start-time") instanceof Long wanted)
                || isUint32(details, "start-time")) {
            throw AuthorityException.failed(
                    "a subject of kind `unix-process' needs a start-time of type t");
        }
        OptionalLong stated = uid(details);
        PidFd process = open(pid);
        try {
            Optional<Credentials> before = process.info().credentials();
            if (wanted != 0 && process.proc().startTicks() != wanted) {
                throw AuthorityException.failed(
                        "Process " + pid + " has been replaced: its start time differs");
            }
            long uid = stated.isPresent() ? stated.getAsLong() : onlyUser(process, before);
            return Subject.UnixProcess.claimed(process, uid, Origin.NUMBER);
        } catch (ErrnoException e) {
            process.close();
            throw notFound(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            process.close();
            throw e;
        }
    }

    private static PidFd open(long pid) {
        try {
            return PidFd.find((int) pid).orElseThrow(() -> notFound("there is no process " + pid));
        } catch (ErrnoException | IllegalArgumentException e) {
            throw notFound(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Returns the user that the caller passed; empty if it is missing or "none" (-1).
     *
     * @throws AuthorityException FAILED if it is of another type
     */
    private static OptionalLong uid(Map<?, ?> details) {
        if (!details.containsKey("uid")) {
            return OptionalLong.empty();
        }
        long uid =
                switch (value(details, "uid")) {
                    case Integer signed -> Integer.toUnsignedLong(signed);
                    case Long unsigned when isUint32(details, "uid") -> unsigned;
                    case null, default ->
                            throw AuthorityException.failed(
                                    "the uid of a subject of kind `unix-process' is of type i or u");
                };
        return uid == NO_UID ? OptionalLong.empty() : OptionalLong.of(uid);
    }

    /**
     * Returns the user of a process that has only one, which a user's process keeps when it
     * executes a set-user-ID program.
     *
     * @param before its users before the start time was compared
     * @throws AuthorityException FAILED if it has several, is root, or has just changed
     */
    private static long onlyUser(PidFd process, Optional<Credentials> before) {
        Credentials users =
                before.filter(each -> process.info().credentials().equals(before))
                        .orElseThrow(() -> noUser("the process has just changed its user"));
        long uid = users.realUid();
        if (users.effectiveUid() != uid || users.savedUid() != uid) {
            throw noUser("the process runs a set-user-ID program");
        }
        if (uid == 0) {
            throw noUser("the process is root, but may have connected as another user");
        }
        return uid;
    }

    private static AuthorityException noUser(String reason) {
        return AuthorityException.failed(
                "a subject of kind `unix-process' needs a uid here: "
                        + reason
                        + "; pass the user that it had when it connected, or the caller's name as a"
                        + " subject of kind `system-bus-name'");
    }

    private Subject.UnixSession session(Map<?, ?> details) {
        String id = string(details, "session-id", "unix-session");
        Session session =
                sessions.session(id)
                        .orElseThrow(() -> AuthorityException.failed("No session with id " + id));
        return new Subject.UnixSession(session.id(), session.uid());
    }

    private static String uniqueName(Map<?, ?> details) {
        String name = string(details, "name", "system-bus-name");
        if (!name.startsWith(":")) {
            throw AuthorityException.failed("`" + name + "' is not a unique bus name");
        }
        return name;
    }

    private static String string(Map<?, ?> details, String key, String kind) {
        if (value(details, key) instanceof String text && !text.isEmpty()) {
            return text;
        }
        throw AuthorityException.failed(
                "a subject of kind `" + kind + "' needs a " + key + " of type s");
    }

    private static boolean isUint32(Map<?, ?> details, String key) {
        return details.get(key) instanceof Variant variant && variant.type().toString().equals("u");
    }

    private static @Nullable Object value(Map<?, ?> details, String key) {
        return details.get(key) instanceof Variant variant ? variant.value() : null;
    }
}
