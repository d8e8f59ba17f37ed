package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Proc;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysXattr;
import io.holdfast.journal.Field;
import io.holdfast.receiver.input.MessageFilter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the receiver says about the sender of a message: the fields whose names begin with an
 * underscore, which no sender can set.
 *
 * <p>Everything is read from the sender's pidfd, which the kernel has put beside the message, and
 * so is about that process, whoever has its PID now. The unit comes from the id of its cgroup,
 * which the pidfd also tells of a process that has exited and was reaped. What cannot be known is
 * absent, and {@code _UNKNOWN=} says why. Only a cgroup that root alone could have named gives a
 * unit ({@link CgroupPlace}). Where units have no cgroups, the unit is that of the nearest ancestor
 * which the service manager has started ({@link UnitsOfProcesses}), as long as the sender runs.
 *
 * <p>What was read about a process is used again for {@link ReceiverLimits#SENDER_AGE}, and the
 * names of a cgroup for ever: a cgroup never moves, and its id is never used again. Owned by one
 * thread.
 */
final class Attribution {
    private static final int MOST_COMMAND = 4096; // bytes of _CMDLINE=
    private static final String FILTER = "user.journald_log_filter_patterns"; // systemd's name
    private static final int MOST_FILTER = 4096; // bytes
    private static final int MOST_PATTERNS = 32;

    /**
     * What is known about a sender.
     *
     * @param unit that it belongs to
     * @param fields to be added to its entries
     * @param filter which of its messages are stored
     * @param since when this process was seen first, as {@link System#nanoTime} counts
     */
    record Known(
            Optional<String> unit, long uid, List<Field> fields, MessageFilter filter, long since) {
        Known(Optional<String> unit, long uid, List<Field> fields, long since) {
            this(unit, uid, fields, MessageFilter.NONE, since);
        }

        /** {@return the name of the user, for people and for the rate limit} */
        String user() {
            return "user " + uid;
        }
    }

    private record Place(
            Optional<CgroupPath> named, List<Field> fields, MessageFilter filter, long readAt) {}

    private record Seen(long readAt, OptionalLong cgroup, Known known) {}

    private static final long START = System.nanoTime();

    private final CgroupPath root;
    private final UnitsOfProcesses units;
    private final long age = ReceiverLimits.SENDER_AGE.duration().toNanos();
    private final Map<Long, Seen> processes = new Bounded<>();
    private final Map<Long, Place> places = new Bounded<>();

    Attribution(UnitsOfProcesses units) {
        this.units = units;
        root = Cgroup.isMounted() ? Cgroup.managerRoot() : CgroupPath.ROOT;
    }

    /** Returns what is known about the sender of a message. */
    Known of(Sender sender) {
        PidFd process = sender.pidFd().orElse(null);
        if (process == null) {
            List<Field> fields = ids(sender.pid(), sender.uid(), sender.gid());
            fields.add(Field.of("_UNKNOWN", "the kernel has not passed a pidfd of the sender"));
            return new Known(Optional.empty(), sender.uid(), fields, START);
        }
        return of(process, sender.pid(), sender.uid(), sender.gid());
    }

    /** Returns what is known about a writer of a stream whose pidfd a killed receiver had. */
    static Known lost(long uid) {
        return new Known(
                Optional.empty(),
                uid,
                List.of(
                        Field.of(
                                "_UNKNOWN",
                                "the receiver was killed after it had received this line")),
                START);
    }

    /** Returns what is known about a process with these ids. */
    Known of(PidFd process, int pid, long uid, long gid) {
        long now = System.nanoTime();
        long id = process.id();
        OptionalLong cgroup = cgroupOf(process);
        Seen before = processes.get(id);
        if (before != null
                && now - before.readAt() < age
                && before.cgroup().equals(cgroup)
                && before.known().uid() == uid) {
            return before.known();
        }
        Known known = read(process, cgroup, pid, uid, gid, before, now);
        processes.put(id, new Seen(now, cgroup, known));
        return known;
    }

    private static OptionalLong cgroupOf(PidFd process) {
        try {
            return process.info().cgroupId();
        } catch (ErrnoException e) {
            return OptionalLong.empty();
        }
    }

    private Known read(
            PidFd process,
            OptionalLong cgroup,
            int pid,
            long uid,
            long gid,
            @Nullable Seen before,
            long now) {
        long since = before == null ? now : before.known().since();
        List<Field> fields = ids(pid, uid, gid);
        fields.add(Field.of("_PIDFD_ID", Long.toUnsignedString(process.id())));
        Proc proc = process.proc();
        add(fields, "_COMM", proc::name);
        add(fields, "_EXE", () -> proc.executable().toString());
        add(fields, "_CMDLINE", () -> String.join(" ", proc.commandLine(MOST_COMMAND)));
        add(fields, "_CAP_EFFECTIVE", () -> Long.toHexString(proc.effectiveCapabilities()));
        Place place = cgroup.isPresent() ? place(cgroup.getAsLong()) : null;
        if (units.areNamed()) {
            Optional<String> known = before == null ? Optional.empty() : before.known().unit();
            Optional<String> unit = known.or(() -> units.of(process)); // it stays in its unit
            if (unit.isEmpty() && !process.isAlive()) {
                fields.add(
                        Field.of("_UNKNOWN", "the sender has exited, and units have no cgroups"));
            }
            unit.ifPresent(name -> fields.add(Field.of("_SYSTEMD_UNIT", name)));
            if (place != null) {
                place.fields().stream()
                        .filter(field -> !field.hasName("_SYSTEMD_UNIT"))
                        .forEach(fields::add);
            }
            return new Known(unit, uid, List.copyOf(fields), since);
        }
        if (place == null) {
            fields.add(Field.of("_UNKNOWN", "the cgroup of the sender was removed"));
            return new Known(Optional.empty(), uid, List.copyOf(fields), since);
        }
        fields.addAll(place.fields());
        Optional<String> unit = place.named().flatMap(CgroupPath::unit);
        return new Known(unit, uid, List.copyOf(fields), place.filter(), since);
    }

    private static List<Field> ids(int pid, long uid, long gid) {
        List<Field> fields = new ArrayList<>();
        if (pid > 0) {
            fields.add(Field.of("_PID", Integer.toString(pid)));
        }
        fields.add(Field.of("_UID", Long.toString(uid)));
        fields.add(Field.of("_GID", Long.toString(gid)));
        return fields;
    }

    /** Adds a field; a process that has exited has less to tell. */
    private static void add(List<Field> fields, String name, Supplier<String> value) {
        try {
            String text = value.get();
            if (!text.isEmpty()) {
                fields.add(Field.of(name, text));
            }
        } catch (ErrnoException e) {
            // absent
        }
    }

    private @Nullable Place place(long id) {
        Place known = places.get(id);
        if (known != null && System.nanoTime() - known.readAt() < age) {
            return known;
        }
        try (Cgroup cgroup = Cgroup.ofId(id)) {
            Place now = known == null ? read(cgroup) : read(cgroup, known.named(), known.fields());
            places.put(id, now);
            return now;
        } catch (ErrnoException e) {
            return known; // it was removed
        }
    }

    private Place read(Cgroup cgroup) {
        List<Field> fields = new ArrayList<>();
        fields.add(Field.of("_SYSTEMD_CGROUP", cgroup.path().path()));
        Optional<CgroupPath> named = CgroupPlace.of(cgroup, root);
        named.ifPresent(path -> {
            path.unit().ifPresent(unit -> fields.add(Field.of("_SYSTEMD_UNIT", unit)));
            fields.add(Field.of("_SYSTEMD_SLICE", path.slice()));
            path.userUnit().ifPresent(unit -> fields.add(Field.of("_SYSTEMD_USER_UNIT", unit)));
            path.userSlice().ifPresent(slice -> fields.add(Field.of("_SYSTEMD_USER_SLICE", slice)));
            path.session().ifPresent(session -> fields.add(Field.of("_SYSTEMD_SESSION", session)));
            path.ownerUid()
                    .ifPresent(
                            uid -> fields.add(Field.of("_SYSTEMD_OWNER_UID", Long.toString(uid))));
        });
        return read(cgroup, named, List.copyOf(fields));
    }

    private static Place read(Cgroup cgroup, Optional<CgroupPath> named, List<Field> fields) {
        return new Place(
                named,
                fields,
                named.map(path -> filter(cgroup, path)).orElse(MessageFilter.NONE),
                System.nanoTime());
    }

    /** Reads the filter of the unit; a process may be in a cgroup below that of its unit. */
    private static MessageFilter filter(Cgroup cgroup, CgroupPath named) {
        Optional<String> unit = named.unit();
        byte[] value = new byte[MOST_FILTER];
        String at = ".";
        CgroupPath path = named;
        while (unit.isPresent() && path.unit().equals(unit)) {
            try (Fd opened = Fcntl.open(cgroup.fd(), at, Fcntl.O_RDONLY, 0)) {
                int size = SysXattr.get(opened, FILTER, value);
                if (size >= 0) {
                    return MessageFilter.parse(Arrays.copyOf(value, size), MOST_PATTERNS);
                }
            } catch (ErrnoException e) {
                return MessageFilter.NONE; // it was removed, or may not be opened
            }
            at += "/..";
            path = path.parent();
        }
        return MessageFilter.NONE;
    }
}
