package io.holdfast.interop.recycling;

import io.holdfast.core.process.Cgroup;
import java.util.List;

/**
 * A kind of process that the hammer makes.
 *
 * @param index how the hammer names it
 * @param name its command name, and the first word of its status messages
 * @param uid whom it runs as, once it has left root
 * @param unit the unit whose cgroup it is born in, empty if that is no unit's
 * @param cgroup where it is born
 */
record Kind(int index, String name, int uid, String unit, Cgroup cgroup) {
    /** Its bit in a set of kinds. */
    int bit() {
        return 1 << index;
    }

    /** The words that tell it to the hammer. */
    List<String> words() {
        return List.of(name, Integer.toString(uid), Cgroup.mountPoint() + cgroup.path().path());
    }

    @Override
    public String toString() {
        return name;
    }
}
