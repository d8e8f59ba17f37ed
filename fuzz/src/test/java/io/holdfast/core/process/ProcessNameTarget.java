package io.holdfast.core.process;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;

/** Names of processes and of their cgroups: cgroup paths, which a user can choose, and ids. */
public final class ProcessNameTarget {
    private ProcessNameTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, ProcessNameTarget::check);
    }

    private static void check(byte[] input) {
        String text = Inputs.text(input);
        try {
            ProcessId id = ProcessId.parse(text);
            same(ProcessId.parse(id.toString()), id);
        } catch (IllegalArgumentException e) {
            require(e.getMessage() != null, "a refusal says why");
        }
        try {
            var _ = CgroupPath.ofProcFile(text);
            cgroup(CgroupPath.parse(text));
        } catch (IllegalArgumentException e) {
            require(e.getMessage() != null, "a refusal says why");
        }
    }

    private static void cgroup(CgroupPath path) {
        same(new CgroupPath(path.toString()), path);
        same(path.relativeTo(path), CgroupPath.ROOT);
        require(path.slice().endsWith(".slice"), "a place is in a slice");
        path.session().ifPresent(id -> same(path.unit().orElse(""), "session-" + id + ".scope"));
        path.ownerUid().ifPresent(uid -> same(path.slice(), "user-" + uid + ".slice"));
        require(path.userUnit().isEmpty() || path.unit().isPresent(), "a manager has a unit");
        require(path.userUnit().isEmpty() || path.userSlice().isPresent(), "and a slice");
    }
}
