package io.holdfast.core.process;

import java.io.Serial;

/**
 * Thrown when a process is outside the part of the cgroup tree that our cgroup namespace shows
 * (cgroup_namespaces(7)): the kernel prints its path with leading {@code ..}, as in {@code
 * /../x.service}, from which its unit, slice and session cannot be derived.
 */
public final class ForeignCgroupException extends IllegalArgumentException {
    @Serial private static final long serialVersionUID = 1L;

    ForeignCgroupException(String path) {
        super(
                "cgroup path "
                        + path
                        + " leads out of our cgroup namespace; run this in the namespace that"
                        + " contains it");
    }
}
