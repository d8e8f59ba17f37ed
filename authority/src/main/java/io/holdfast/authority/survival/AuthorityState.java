package io.holdfast.authority.survival;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.LockFile;
import io.holdfast.core.file.folder.TrustedFolder;
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
 * The state that a killed authority leaves to the next one in the same boot: a record for each
 * temporary authorization and each agent on a bus. A record is written before its authorization or
 * agent is in force, and removed before that ends for any client.
 *
 * <p>A record identifies its process by the pidfs id: it ends with the process, even if the PID is
 * reused. An authority that stops in order removes its records: stopping it revokes all
 * authorizations.
 *
 * <p>One thread writes and removes; it blocks as long as a file system in memory takes. If a record
 * cannot be written, that is logged: the authorization or agent is in force, but is lost with this
 * process.
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

    /** The number of ids that are reserved by each write of the file {@link #IDS}. */
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

    /** Returns a state that records nothing. */
    public static AuthorityState none() {
        return new AuthorityState(null, null, "");
    }

    /**
     * Opens a state folder, which only this authority may use.
     *
     * @param path created with mode 0700 if it is missing
     * @throws ErrnoException if another user could change files in it
     * @return a state that records nothing, with a line in the log, if processes have no pidfs id:
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

    /** Returns whether records are written. */
    public boolean isKept() {
        return folder != null;
    }

    // ---- from the previous authority

    /**
     * Restores the records of the previous authority. Valid records stay in the folder; the others
     * are removed.
     *
     * @param now in nanoseconds of CLOCK_BOOTTIME
     */
    public Recovered recover(Sessions sessions, long now) {
        if (folder == null) {
            return Recovered.NOTHING;
        }
        List<AuthorizationRecord> authorizations = new ArrayList<>();
        List<AgentRecord> agents = new ArrayList<>();
        Map<String, String> dropped = new LinkedHashMap<>();
        Map<String, Fields> all = folder.read(dropped::put);
        if (dropped.containsKey(IDS)) {
            lastId = now / 1_000_000; // above all ids of this boot, given at under one per ms
        }
        all.forEach((name, fields) -> {
            try {
                if (name.equals(IDS)) {
                    lastId = Math.max(lastId, fields.number(RESERVED));
                } else if (name.startsWith(AGENT)) {
                    agents.add(AgentRecord.restore(name, fields));
                } else {
                    lastId = Math.max(lastId, number(name));
                    authorizations.add(AuthorizationRecord.restore(name, fields, sessions, now));
                }
            } catch (StaleRecordException | IllegalArgumentException e) {
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

    // ---- for the next authority

    /** Returns the id of the next temporary authorization; ids are unique within a boot. */
    public String nextId() {
        lastId++;
        if (folder != null && lastId > reserved) {
            reserved = lastId + RESERVED_AT_ONCE - 1;
            write(IDS, new Fields().put(RESERVED, reserved));
        }
        return AUTHORIZATION + lastId;
    }

    /** Records an authorization before it is in force. */
    public void write(AuthorizationRecord authorization) {
        if (folder != null) {
            try {
                write(authorization.id(), authorization.fields());
            } catch (ErrnoException e) {
                // its process has ended: the authorization will be removed
            }
        }
    }

    /** Returns a new name for the record of an agent. */
    public String agentRecord() {
        return AGENT + generation + "-" + lastAgent.incrementAndGet();
    }

    public void write(AgentRecord agent) {
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
                    "{0}: cannot be recorded, so it is lost if this authority is killed: {1}",
                    name,
                    e.getMessage());
        }
    }

    /** Removes the record of an authorization, by its id, or of an agent, by the record's name. */
    public void remove(String name) {
        if (folder != null) {
            try {
                folder.remove(name);
            } catch (ErrnoException e) {
                LOG.log(WARNING, "the record {0} stays: {1}", name, e.getMessage());
            }
        }
    }

    /** Returns the time of the clock that deadlines use: CLOCK_BOOTTIME, in nanoseconds. */
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
