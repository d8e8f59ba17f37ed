package io.holdfast.interop.manager;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs programs with a time limit. */
final class Shell {
    private static final int TIMEOUT = 150; // seconds

    private Shell() {}

    /** Returns everything that a program writes until it ends. */
    static String run(List<String> command) throws IOException, InterruptedException {
        List<String> bounded =
                new ArrayList<>(List.of("timeout", "--kill-after=1", Integer.toString(TIMEOUT)));
        bounded.addAll(command);
        ProcessBuilder builder =
                new ProcessBuilder(bounded)
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().clear();
        builder.environment().put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        try {
            return new String(process.getInputStream().readAllBytes(), UTF_8);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
