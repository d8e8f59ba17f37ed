package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The output and the exit status of an external program. */
record Tool(int status, String output) {
    /** Seconds; more under emulation, where the clock of the machine runs on while it waits. */
    private static final long PATIENCE = Boolean.getBoolean("holdfast.slow") ? 600 : 60;

    static Tool run(Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().remove("DBUS_SESSION_BUS_ADDRESS");
        builder.environment().remove("XDG_RUNTIME_DIR");
        builder.environment().putAll(environment);
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().put("SYSTEMD_BUS_TIMEOUT", PATIENCE + "s"); // for a reply
        builder.command().addAll(0, List.of("timeout", "--kill-after=1", PATIENCE + "s"));
        Process process = builder.start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(PATIENCE, TimeUnit.SECONDS)).isTrue();
            return new Tool(process.exitValue(), output);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
