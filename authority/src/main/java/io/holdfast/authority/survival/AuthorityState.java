package io.holdfast.authority.survival;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.LockFile;
import io.holdfast.core.file.TrustedFolder;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.core.state.StateFolder;
import io.holdfast.core.sys.SysTime;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an authority writes down, so that the next one of the same boot has it although this one is
 * killed: a record for each temporary authorization and each agent on a bus. A record is written
 * before what it is about is in force, and removed before that has ended for anybody who asks.
 *
 * <p>What is written down is bound to processes by their pidfs ids: what a record is about ends
 * with its process, whoever has the number by then. An authority that ends in order removes its
 * records: stopping it revokes all authorizations.
 *
 * <p>Write and remove on one thread; blocking for as long as a file system in memory takes. A
 * record that cannot be written is a line of the log: what it is about is in force, and is lost
 * with this process.
 */
public final class AuthorityState implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");
    private static final int FOLDER_MODE = 0700;
    private static final String LOCK = "lock";
    private static final String AUTHORIZATION = "tmpauthz";
    private static final Pattern AUTHORIZATION_NAME =
            Pattern.compile(AUTHORIZATION + "[0-9]{1,18}");
    private static final String AGENT = "agent-";
    private static final String IDS = "ids";
    private static final String RESERVED = "reserved";

    /** So many ids are given for each time that the file is written. */
    private static final int RESERVED_AT_ONCE = 64;

    private final @Nullable StateFolder folder;
    private final @Nullable LockFile lock;
    private final String generation;
    private final AtomicLong lastAgent = new AtomicLong();
    private long lastId;
    private long reserved = Long.MAX_VALUE;

    private AuthorityState(
            @Nullable StateFolder folder, @Nullable LockFile lock, String generation) {
        this.folder = folder;
        this.lock = lock;
        this.generation = generation;
    }

    /** Nothing is written down. */
    public static AuthorityState none() {
        return new AuthorityState(null, null, "");
    }

    /**
     * Writes down in a folder of this authority's own.
     *
     * @param path made with the mode 0700 if it is missing
     * @throws ErrnoException if another user could change what is in it
     * @return one that writes nothing down, with a line in the log, where processes have no ids:
     *     before Linux 6.9
     * @throws IllegalStateException if another authority uses the folder
     */
    public static AuthorityState open(Path path) {
        OptionalLong self;
        try (PidFd process = PidFd.self()) {
            self = process.processId().pidfdId();
        }
        if (self.isEmpty()) {
            LOG.log(
                    INFO,
                    "temporary authorizations and agents end with this process: before Linux 6.9"
                            + " processes have no ids to know them again by");
            return none();
        }
        try (TrustedFolder folder = TrustedFolder.make(path, FOLDER_MODE)) {
            LockFile lock =
                    LockFile.tryTake(folder.fd(), LOCK)
                            .orElseThrow(() ->
                                    new IllegalStateException("another authority uses " + path));
            try {
                return new AuthorityState(
                        StateFolder.open(folder), lock, Long.toUnsignedString(self.getAsLong()));
            } catch (RuntimeException e) {
                lock.close();
                throw e;
            }
        }
    }

    /** Whether anything is written down. */
    public boolean isKept() {
        return folder != null;
    }

    // ---- from the authority before

    /**
     * What the authority before this one has left. Its records stay, but for those that do not
     * count.
     *
     * @param now in nanoseconds of CLOCK_BOOTTIME
     */
    public Recovered recover(Sessions sessions, long now) {
        if (folder == null) {
            return Recovered.NOTHING;
        }
        List<KeptAuthorization> authorizations = new ArrayList<>();
        List<KeptAgent> agents = new ArrayList<>();
        Map<String, String> dropped = new LinkedHashMap<>();
        Map<String, Fields> all = folder.read(dropped::put);
        if (dropped.containsKey(IDS)) {
            lastId = now / 1_000_000; // more than were given in so many milliseconds
        }
        all.forEach((name, fields) -> {
            try {
                if (name.equals(IDS)) {
                    lastId = Math.max(lastId, fields.number(RESERVED));
                } else if (name.startsWith(AGENT)) {
                    agents.add(KeptAgent.restore(name, fields));
                } else {
                    lastId = Math.max(lastId, number(name));
                    authorizations.add(KeptAuthorization.restore(name, fields, sessions, now));
                }
            } catch (LostException | IllegalArgumentException e) {
                dropped.put(name, String.valueOf(e.getMessage()));
            }
        });
        reserved = lastId;
        dropped.keySet().forEach(this::remove);
        return new Recovered(
                authorizations,
                agents,
                dropped.entrySet().stream()
                        .map(entry -> entry.getKey() + ": " + entry.getValue())
                        .toList());
    }

    private static long number(String name) {
        if (!AUTHORIZATION_NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not a record of ours");
        }
        return Long.parseLong(name.substring(AUTHORIZATION.length()));
    }

    // ---- for the authority after

    /** The id of the next temporary authorization: none is given twice in a boot. */
    public String nextId() {
        lastId++;
        if (folder != null && lastId > reserved) {
            reserved = lastId + RESERVED_AT_ONCE - 1;
            write(IDS, new Fields().put(RESERVED, reserved));
        }
        return AUTHORIZATION + lastId;
    }

    /** Writes down an authorization that is to be in force. */
    public void write(KeptAuthorization authorization) {
        if (folder != null) {
            try {
                write(authorization.id(), authorization.fields());
            } catch (ErrnoException e) {
                // its process has ended, and so will it
            }
        }
    }

    /** A name for the record of an agent. */
    public String agentRecord() {
        return AGENT + generation + "-" + lastAgent.incrementAndGet();
    }

    /** Writes down an agent that is to be asked. */
    public void write(KeptAgent agent) {
        if (folder != null) {
            write(agent.record(), agent.fields());
        }
    }

    private void write(String name, Fields fields) {
        try {
            if (folder != null) {
                folder.write(name, fields);
            }
        } catch (ErrnoException e) {
            LOG.log(
                    WARNING,
                    "{0} is not written down, and will be lost if this authority is killed: {1}",
                    name,
                    e.getMessage());
        }
    }

    /** Removes the record of an authorization, by its id, or of an agent. */
    public void remove(String name) {
        if (folder != null) {
            try {
                folder.remove(name);
            } catch (ErrnoException e) {
                LOG.log(WARNING, "the record {0} stays: {1}", name, e.getMessage());
            }
        }
    }

    /** The clock of the deadlines. */
    public static long now() {
        return SysTime.sinceBoot();
    }

    @Override
    public void close() {
        if (folder != null) {
            folder.close();
        }
        if (lock != null) {
            lock.close();
        }
    }
}
