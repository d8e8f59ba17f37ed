package io.holdfast.core.scope;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.process.SysResource;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * The mark that distinguishes the descendants of one scope from all other processes: a random
 * number that they inherit in two ways.
 *
 * <p>The variable {@code HOLDFAST_SCOPE} is lost by an exec with another environment, and cannot be
 * read from a zombie, whose memory is gone. The soft limit RLIMIT_LOCKS survives fork and exec, is
 * kept by zombies, and limits nothing since Linux 2.4.25; where its hard limit was lowered, only
 * the variable is set. Scopes of a JVM that is in a scope itself append their id to the variable,
 * so that the outer scope finds the processes that a dead JVM has left behind.
 *
 * @param id a random number, 2 or more
 */
record Mark(long id) {
    static final String VARIABLE = "HOLDFAST_SCOPE";

    private static final String SEPARATOR = ":";
    private static final int ENVIRONMENT = 1 << 20; // the bytes that are searched for the variable

    private String hex() {
        return Long.toHexString(id);
    }

    /** Puts the mark on a process that will be started. */
    void putOn(Spawn spawn) {
        String outer = System.getenv(VARIABLE);
        spawn.environment(VARIABLE, outer == null ? hex() : outer + SEPARATOR + hex());
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
        String scopes = process.proc().environment(ENVIRONMENT).get(VARIABLE);
        return scopes != null && Arrays.asList(scopes.split(SEPARATOR)).contains(hex());
    }
}
