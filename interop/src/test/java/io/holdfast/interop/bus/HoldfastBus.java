package io.holdfast.interop.bus;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.cli.Holdfast;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.dbus.testkit.TestBus;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Our bus, {@code holdfast bus}, in a separate process. */
final class HoldfastBus implements TestBus {
    private final Child child;
    private final String address;

    private HoldfastBus(Child child, String address) {
        this.child = child;
        this.address = address;
    }

    /**
     * Starts it, and waits until it listens.
     *
     * @param folder the folder of its socket and log, and of the user's services
     * @param more further words of the command
     */
    static HoldfastBus start(Path folder, String... more) throws IOException {
        String listen = "unix:path=" + folder.resolve("holdfast.socket");
        Path log = folder.resolve("holdfast.log");
        List<String> command =
                ChildJvm.command(
                        List.of(), Holdfast.class, "bus", "--address", listen, "--print-address");
        Child child =
                Spawn.of(command)
                        .arguments(List.of(more))
                        .environment("XDG_DATA_HOME", folder.toString())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(log))
                        .start();
        BufferedReader output = new BufferedReader(new InputStreamReader(child.stdout(), UTF_8));
        String address = output.readLine();
        if (address == null) {
            throw new IOException("holdfast bus did not start: " + Files.readString(log));
        }
        return new HoldfastBus(child, address);
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public Kind kind() {
        return Kind.HOLDFAST;
    }

    @Override
    public void close() {
        try (child) {
            boolean ignored = child.signal(Signal.TERM);
            var _ = child.onExit().join();
        }
    }
}
