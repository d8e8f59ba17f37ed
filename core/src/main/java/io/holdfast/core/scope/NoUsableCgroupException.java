package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;

/** Thrown if this JVM has no cgroup in which it may make one for a scope. */
final class NoUsableCgroupException extends Exception {
    private static final long serialVersionUID = 1L;

    private static final String REMEDY =
            "run this JVM in a delegated cgroup (systemd-run --user --scope -p Delegate=yes, or"
                    + " Delegate=yes of its unit; for limits also DelegateSubgroup=)";

    /**
     * @param reasons why each cgroup that was tried cannot be used
     */
    NoUsableCgroupException(String reasons) {
        super(reasons);
    }

    /** Returns the same for callers that require a cgroup. */
    ErrnoException required() {
        return new ErrnoException(
                "cgroup", "of a scope", Errno.EACCES, getMessage() + "; " + REMEDY);
    }
}
