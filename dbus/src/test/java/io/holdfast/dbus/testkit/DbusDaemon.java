package io.holdfast.dbus.testkit;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The reference bus, {@code dbus-daemon(1)}. */
public final class DbusDaemon implements TestBus {
    @SuppressWarnings("InlineFormatString") // a file
    private static final String CONFIG =
            """
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>session</type>
              <listen>unix:path=%s</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow send_destination="*" eavesdrop="true"/>
                <allow eavesdrop="true"/>
                <allow own="*"/>
                <allow user="*"/>
              </policy>
              <limit name="max_replies_per_connection">50000</limit>
              <limit name="max_match_rules_per_connection">50000</limit>
            </busconfig>
            """;

    private final Child child;
    private final String address;

    private DbusDaemon(Child child, String address) {
        this.child = child;
        this.address = address;
    }

    /**
     * Starts the bus, and waits until it listens.
     *
     * @param folder the folder for its socket and configuration
     */
    public static DbusDaemon start(Path folder) throws IOException {
        Path config = folder.resolve("dbus-daemon.conf");
        Files.writeString(config, CONFIG.formatted(folder.resolve("dbus-daemon.socket")));
        Child child =
                Spawn.of("dbus-daemon", "--nofork", "--nopidfile", "--print-address=1")
                        .arguments(List.of("--config-file=" + config))
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(folder.resolve("dbus-daemon.log")))
                        .start();
        BufferedReader output =
                new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8));
        String address = output.readLine();
        if (address == null) {
            throw new IOException("dbus-daemon did not start: see " + folder);
        }
        return new DbusDaemon(child, address);
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public Kind kind() {
        return Kind.DBUS_DAEMON;
    }

    @Override
    public void close() {
        try (child) {
            boolean ignored = child.signal(Signal.TERM);
            var _ = child.onExit().join();
        }
    }
}
