package io.holdfast.core.process;

import java.io.Serial;

/**
 * A process lives outside the part of the cgroup tree that this process's cgroup namespace shows
 * (cgroup_namespaces(7)): the kernel names its place by climbing out, as in {@code /../x.service},
 * so that nothing true can be said of its unit, slice or session from here.
 */
public final class ForeignCgroupException extends IllegalArgumentException {
    @Serial private static final long serialVersionUID = 1L;

    ForeignCgroupException(String path) {
        super(
                "cgroup path "
                        + path
                        + " leads out of our cgroup namespace: ask from the namespace that contains"
                        + " it");
    }
}
