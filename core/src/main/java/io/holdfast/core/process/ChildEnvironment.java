package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Feature;
import io.holdfast.core.sys.process.PosixSpawn;
import io.holdfast.core.sys.process.Stdlib;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The environment of one child in native memory.
 *
 * @param memory null: the environment of this process
 * @param pids where the child's PID will be written
 * @param id where its identity will be written, or null
 * @param isFirst whether it is the first process of a PID namespace
 */
record ChildEnvironment(
        @Nullable MemorySegment memory, List<Place> pids, @Nullable Place id, boolean isFirst) {
    private static final int DIGITS = 20; // of an unsigned 64-bit number

    /**
     * The place of a number.
     *
     * @param index which entry
     * @param offset bytes of name and equals sign
     */
    private record Place(int index, int offset) {
        /** Adds an entry for the variable, with room for any number. */
        static Place in(List<String> entries, String variable) {
            entries.add(variable + "=" + "0".repeat(DIGITS));
            return new Place(entries.size() - 1, variable.getBytes(UTF_8).length + 1);
        }
    }

    /**
     * Makes the environment of a child.
     *
     * @param given the variables, or null for those of this process
     * @param call owns the memory of an environment in which nothing will be written
     */
    static ChildEnvironment of(Spawn spawn, @Nullable Map<String, String> given, PosixSpawn call) {
        Set<String> pidVariables = spawn.pidVariables;
        if (given == null && pidVariables.isEmpty() && spawn.idVariable == null) {
            return new ChildEnvironment(null, List.of(), null, false);
        }
        Map<String, String> variables = given == null ? Stdlib.environment() : given;
        List<String> entries = new ArrayList<>(variables.size() + pidVariables.size() + 1);
        variables.forEach((name, value) -> {
            if (!pidVariables.contains(name) && !name.equals(spawn.idVariable)) {
                entries.add(name + "=" + value);
            }
        });
        List<Place> pids =
                pidVariables.stream().map(variable -> Place.in(entries, variable)).toList();
        String idVariable = Feature.PIDFS.isPresent() ? spawn.idVariable : null;
        Place id = idVariable == null ? null : Place.in(entries, idVariable);
        boolean isFinal = pids.isEmpty() && id == null;
        MemorySegment memory =
                isFinal ? call.strings(entries) : PosixSpawn.strings(Arena.ofAuto(), entries);
        boolean isFirst = spawn.isolation != null && spawn.isolation.makes(Namespace.Kind.PID);
        return new ChildEnvironment(memory, pids, id, isFirst);
    }

    /** Writes the numbers of a child, which reads this memory while it is held. */
    void fill(HeldChild child) {
        if (memory == null) {
            return;
        }
        int own = isFirst ? 1 : child.pid();
        for (Place pid : pids) {
            PosixSpawn.patch(memory, pid.index, pid.offset, Integer.toString(own));
        }
        if (id != null) {
            String value = Long.toUnsignedString(child.pidFd().id());
            PosixSpawn.patch(memory, id.index, id.offset, value);
        }
    }
}
