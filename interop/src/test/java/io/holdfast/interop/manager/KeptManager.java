package io.holdfast.interop.manager;

import io.holdfast.core.process.Cgroup;
import io.holdfast.interop.Checkout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Our manager for one case as {@code holdfast up} runs it, below a keeper that starts the next one:
 * in a mount namespace where it is the system's manager.
 */
final class KeptManager {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private KeptManager() {}

    /**
     * Runs a case in an empty folder.
     *
     * @param killed whether the script's {@code renew} kills the manager
     */
    static String transcript(UnitCase one, Path path, int polls, boolean killed) throws Exception {
        Checkout.requireBuilt();
        CaseFolder folder = new CaseFolder(path, path.toString());
        folder.writeBase();
        folder.write(one, polls);
        Path script = Files.writeString(path.resolve("kept.sh"), CaseFiles.resource("kept.sh"));
        String slice =
                "hfkept%dx%d.slice"
                        .formatted(ProcessHandle.current().pid(), NUMBER.incrementAndGet());
        List<String> command = new ArrayList<>(List.of("unshare", "--mount", "sh"));
        command.addAll(List.of(script.toString(), path.toString(), killed ? "killed" : "renewed"));
        command.addAll(Checkout.command("up", "--slice", slice, "default.target"));
        String transcript = folder.contracted(Shell.run(command));
        try (Cgroup own = Cgroup.own()) {
            if (own.childNames().contains(slice)) {
                throw new AssertionError("the slice is left after\n" + transcript);
            }
        }
        return transcript;
    }
}
