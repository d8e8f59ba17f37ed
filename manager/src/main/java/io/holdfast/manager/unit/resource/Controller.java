package io.holdfast.manager.unit.resource;

import java.util.Locale;

/** A controller of cgroup v2 that units use. */
public enum Controller {
    CPU,
    CPUSET,
    IO,
    MEMORY,
    PIDS;

    /** Returns its name in the cgroup file system. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
