package io.holdfast.interop.recycling;

import io.holdfast.core.process.Cgroup;
import java.util.List;

/**
 * A kind of process that the hammer makes.
 *
 * @param index its number for the hammer
 * @param name its command name, and the first word of its status messages
 * @param uid the user that it runs as, once it has left root
 * @param unit the unit whose cgroup it is born in, empty if that is no unit's
 * @param cgroup the cgroup that it is born in
 */
record Kind(int index, String name, int uid, String unit, Cgroup cgroup) {
    /** Returns its bit in a set of kinds. */
    int bit() {
        return 1 << index;
    }

    /** Returns the arguments that describe it to the hammer. */
    List<String> words() {
        return List.of(name, Integer.toString(uid), Cgroup.mountPoint() + cgroup.path().path());
    }

    @Override
    public String toString() {
        return name;
    }
}
