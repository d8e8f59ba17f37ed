package io.holdfast.manager.notify;

import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * One datagram to the notify socket. Unknown keys, and lines that are no assignment, are left out;
 * of a repeated key the first one counts. Times are microseconds; {@link Long#MAX_VALUE} is
 * infinity.
 *
 * @param ready READY=1: the start, or a reload, is done
 * @param reloading RELOADING=1
 * @param monotonicMicros with {@code reloading}: when it began, on CLOCK_MONOTONIC
 * @param stopping STOPPING=1
 * @param status a line for people
 * @param errno of a failure
 * @param busError the D-Bus error of a failure
 * @param varlinkError the Varlink error of a failure
 * @param mainPid a PID as the sender sees it; to be opened and verified
 * @param mainPidfdId the pidfs identity that {@code mainPid} must have, unsigned
 * @param mainPidfd whether the one descriptor of the message is a pidfd of the main process
 * @param watchdogMicros a new watchdog time; 0 disables the watchdog
 * @param extendTimeoutMicros how much longer the current step may take, from now
 * @param barrier whether the one descriptor is to be closed once all earlier messages are handled
 * @param access which processes of the unit may send messages from now on
 * @param store changes to the descriptor store
 * @param unsupported keys that systemd knows and this manager does not support
 * @see <a href="https://www.freedesktop.org/software/systemd/man/sd_notify.html">sd_notify(3)</a>
 */
public record NotifyMessage(
        boolean ready,
        boolean reloading,
        OptionalLong monotonicMicros,
        boolean stopping,
        Optional<String> status,
        OptionalInt errno,
        Optional<String> busError,
        Optional<String> varlinkError,
        OptionalInt mainPid,
        OptionalLong mainPidfdId,
        boolean mainPidfd,
        Optional<Watchdog> watchdog,
        OptionalLong watchdogMicros,
        OptionalLong extendTimeoutMicros,
        boolean barrier,
        Optional<NotifyAccess> access,
        Store store,
        Set<String> unsupported) {
    /** Bytes of a datagram; to detect a longer one, receive one byte more. */
    public static final int MAX_SIZE = 4096;

    private static final Set<String> UNSUPPORTED = Set.of("RESTART_RESET");

    private static final int MAX_NAME = 255;

    /** WATCHDOG=…. */
    public enum Watchdog {
        /** Still alive. */
        PING,
        /** Treat the watchdog time as expired. */
        TRIGGER
    }

    /**
     * Changes to the descriptor store.
     *
     * @param add FDSTORE=1: store the descriptors of the message
     * @param remove FDSTOREREMOVE=1: remove the descriptors with the name
     * @param name FDNAME=, for people and for sd_listen_fds_with_names(3)
     * @param watched not FDPOLL=0: remove a descriptor whose other end has closed
     */
    public record Store(boolean add, boolean remove, String name, boolean watched) {
        static final String USUAL_NAME = "stored";
    }

    /** A datagram that is not a valid message; the text says why. */
    public static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String reason) {
            super(reason);
        }
    }

    public NotifyMessage {
        unsupported = Set.copyOf(unsupported);
    }

    /**
     * Parses a datagram.
     *
     * @param datagram all of it
     * @throws MalformedException if it is empty, longer than {@link #MAX_SIZE}, not UTF-8, has a
     *     NUL except at its end, or a value that its key does not allow
     */
    public static NotifyMessage parse(byte[] datagram) throws MalformedException {
        return of(new Fields(assignments(text(datagram))));
    }

    private static String text(byte[] datagram) throws MalformedException {
        if (datagram.length > MAX_SIZE) {
            throw new MalformedException("longer than " + MAX_SIZE + " bytes");
        }
        int length = datagram.length;
        if (length > 0 && datagram[length - 1] == 0) {
            length--;
        }
        if (length == 0) {
            throw new MalformedException("empty");
        }
        for (int i = 0; i < length; i++) {
            if (datagram[i] == 0) {
                throw new MalformedException("a NUL at byte " + i);
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(datagram, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            MalformedException malformed = new MalformedException("not UTF-8");
            malformed.initCause(e);
            throw malformed;
        }
    }

    private static Map<String, String> assignments(String text) {
        Map<String, String> assignments = new LinkedHashMap<>();
        for (String line : text.split("\n")) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                assignments.putIfAbsent(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return assignments;
    }

    private static NotifyMessage of(Fields fields) throws MalformedException {
        OptionalInt mainPid = fields.number("MAINPID", 1);
        OptionalLong mainPidfdId = fields.unsigned("MAINPIDFDID");
        if (mainPidfdId.isPresent() && mainPid.isEmpty()) {
            throw new MalformedException("MAINPIDFDID without MAINPID");
        }
        boolean barrier = fields.flag("BARRIER");
        if (barrier && fields.values.size() > 1) {
            throw new MalformedException("BARRIER=1 together with other assignments");
        }
        return new NotifyMessage(
                fields.flag("READY"),
                fields.flag("RELOADING"),
                fields.micros("MONOTONIC_USEC"),
                fields.flag("STOPPING"),
                Optional.ofNullable(fields.values.get("STATUS")),
                fields.number("ERRNO", 0),
                Optional.ofNullable(fields.values.get("BUSERROR")),
                Optional.ofNullable(fields.values.get("VARLINKERROR")),
                mainPid,
                mainPidfdId,
                fields.flag("MAINPIDFD"),
                fields.watchdog(),
                fields.micros("WATCHDOG_USEC"),
                fields.micros("EXTEND_TIMEOUT_USEC"),
                barrier,
                fields.access(),
                fields.store(),
                fields.unsupported());
    }

    private record Fields(Map<String, String> values) {
        boolean flag(String key) throws MalformedException {
            String value = values.get(key);
            if (value != null && !value.equals("1")) {
                throw bad(key, value, "1");
            }
            return value != null;
        }

        OptionalInt number(String key, int least) throws MalformedException {
            String value = values.get(key);
            if (value == null) {
                return OptionalInt.empty();
            }
            String wanted = least + " to " + Integer.MAX_VALUE;
            if (!isDigits(value)) {
                throw bad(key, value, wanted);
            }
            long number = value.length() > 10 ? -1 : Long.parseLong(value);
            if (number < least || number > Integer.MAX_VALUE) {
                throw bad(key, value, wanted);
            }
            return OptionalInt.of((int) number);
        }

        OptionalLong unsigned(String key) throws MalformedException {
            String value = values.get(key);
            if (value == null) {
                return OptionalLong.empty();
            }
            try {
                if (isDigits(value)) {
                    return OptionalLong.of(Long.parseUnsignedLong(value));
                }
            } catch (NumberFormatException e) {
                // too large: invalid like any other text
            }
            throw bad(key, value, "an unsigned 64-bit number");
        }

        OptionalLong micros(String key) throws MalformedException {
            OptionalLong number = unsigned(key);
            return number.isPresent() && number.getAsLong() < 0
                    ? OptionalLong.of(Long.MAX_VALUE)
                    : number;
        }

        Optional<Watchdog> watchdog() throws MalformedException {
            String value = values.get("WATCHDOG");
            if (value == null) {
                return Optional.empty();
            }
            return switch (value) {
                case "1" -> Optional.of(Watchdog.PING);
                case "trigger" -> Optional.of(Watchdog.TRIGGER);
                default -> throw bad("WATCHDOG", value, "1 or trigger");
            };
        }

        Optional<NotifyAccess> access() throws MalformedException {
            String value = values.get("NOTIFYACCESS");
            if (value == null) {
                return Optional.empty();
            }
            for (NotifyAccess access : NotifyAccess.values()) {
                if (access.name().toLowerCase(Locale.ROOT).equals(value)) {
                    return Optional.of(access);
                }
            }
            throw bad("NOTIFYACCESS", value, "none, main, exec or all");
        }

        Store store() throws MalformedException {
            String name = values.getOrDefault("FDNAME", Store.USUAL_NAME);
            boolean bad =
                    name.isEmpty()
                            || name.length() > MAX_NAME
                            || name.chars().anyMatch(c -> c < ' ' || c >= 0x7f || c == ':');
            if (bad) {
                throw bad("FDNAME", name, "1 to " + MAX_NAME + " printable characters without :");
            }
            boolean remove = flag("FDSTOREREMOVE");
            if (remove && !values.containsKey("FDNAME")) {
                throw new MalformedException("FDSTOREREMOVE without FDNAME");
            }
            String poll = values.getOrDefault("FDPOLL", "1");
            if (!poll.equals("0") && !poll.equals("1")) {
                throw bad("FDPOLL", poll, "0 or 1");
            }
            return new Store(flag("FDSTORE"), remove, name, poll.equals("1"));
        }

        Set<String> unsupported() {
            Set<String> keys = new LinkedHashSet<>(values.keySet());
            keys.retainAll(UNSUPPORTED);
            return keys;
        }

        private static boolean isDigits(String text) {
            return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        }

        private static MalformedException bad(String key, String value, String wanted) {
            String shown = value.length() > 40 ? value.substring(0, 40) + "…" : value;
            return new MalformedException(key + "=" + shown + ": not " + wanted);
        }
    }
}
