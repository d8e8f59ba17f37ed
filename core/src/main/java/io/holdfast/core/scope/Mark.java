package io.holdfast.core.scope;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.SysRandom;
import io.holdfast.core.sys.process.SysResource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The mark that distinguishes the descendants of one scope from all other processes: a random
 * number that they inherit in two ways.
 *
 * <p>The variable {@code HOLDFAST_SCOPE} is lost by an exec with another environment, and cannot be
 * read from a zombie, whose memory is gone. The soft limit RLIMIT_LOCKS survives fork and exec, is
 * kept by zombies, and limits nothing since Linux 2.4.25; where its hard limit was lowered, only
 * the variable is set. Scopes of a JVM that is in a scope itself append their id to the variable,
 * so that the outer scope finds the processes that a dead JVM has left behind. Each id is followed
 * by the owner of the scope, {@code ID@OWNER}, for {@link ProcessScope#leftovers}.
 *
 * @param id a random number of at most 62 bits, 2 or more
 * @param owner the JVM that opened the scope
 */
record Mark(long id, Owner owner) {
    private static final long FIRST = 2;
    private static final long LAST = (1L << 62) - 1;

    static final String VARIABLE = "HOLDFAST_SCOPE";

    private static final String SEPARATOR = ":";
    private static final Pattern ENTRY =
            Pattern.compile("([0-9a-f]{1,16})@(" + Owner.PATTERN + ")");
    private static final int ENVIRONMENT = 1 << 20; // the bytes that are searched for the variable

    /** Returns an id that no other scope has. */
    static long randomId() {
        long id;
        do {
            id = SysRandom.bits() & LAST;
        } while (id < FIRST);
        return id;
    }

    private String entry() {
        return Long.toHexString(id) + "@" + owner;
    }

    /** Puts the mark on a process that will be started. */
    void putOn(Spawn spawn) {
        String outer = System.getenv(VARIABLE);
        spawn.environment(VARIABLE, outer == null ? entry() : outer + SEPARATOR + entry());
        long hard = SysResource.limit(Resource.LOCKS.number())[1];
        if (hard == SysResource.INFINITY) {
            spawn.alsoWhileHeld(child -> child.limit(Resource.LOCKS, id, hard));
        }
    }

    /**
     * Returns whether a process has the mark.
     *
     * @param number its PID, which another process may have by now: so it is checked afterwards
     *     that the process is unreaped
     */
    boolean isOn(PidFd process, int number) {
        OptionalLong limit = SysResource.softLimitOf(number, Resource.LOCKS.number());
        if (limit.isPresent() && limit.getAsLong() == id) {
            return process.state() != PidFd.State.REAPED;
        }
        try {
            return isInEnvironment(process);
        } catch (ErrnoException e) {
            if (ProcessScope.isShortage(e)) {
                throw e; // it may have the mark
            }
            return false; // reaped, or of another user
        }
    }

    private boolean isInEnvironment(PidFd process) {
        return inEnvironment(process).contains(this);
    }

    /**
     * Returns the marks in the environment that a process was started with: of the scope that it is
     * in, and of those that this scope's JVM was in.
     *
     * @throws ErrnoException if it cannot be read: ESRCH, EACCES
     */
    static List<Mark> inEnvironment(PidFd process) {
        String scopes = process.proc().environment(ENVIRONMENT).get(VARIABLE);
        List<Mark> marks = new ArrayList<>();
        for (String entry : scopes == null ? List.<String>of() : List.of(scopes.split(SEPARATOR))) {
            Matcher parts = ENTRY.matcher(entry);
            if (parts.matches()) {
                long id = Long.parseUnsignedLong(parts.group(1), 16);
                Optional<Owner> owner = Owner.parse(parts.group(2));
                if (id >= FIRST && id <= LAST && owner.isPresent()) { // not a usual RLIMIT_LOCKS
                    marks.add(new Mark(id, owner.get()));
                }
            }
        }
        return marks;
    }
}
