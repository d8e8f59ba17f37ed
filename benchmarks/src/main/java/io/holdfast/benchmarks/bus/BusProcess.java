package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A running message bus on one processor, with the generator on another one: neither takes the
 * other's time, and all buses get the same.
 */
final class BusProcess implements AutoCloseable {
    private static final int BUS_PROCESSOR = 0;
    private static final int GENERATOR_PROCESSOR = 1;

    private final String name;
    private final Path socket;
    private final MeasuredDaemon process;

    BusProcess(BusProgram program, Path socket) throws IOException {
        this.name = program.name();
        this.socket = socket;
        List<String> command = new ArrayList<>(Worker.on(BUS_PROCESSOR));
        command.addAll(program.command().apply(socket.toString()));
        this.process = new MeasuredDaemon(Spawn.of(command).stdin(Stdio.devNull()));
    }

    String name() {
        return name;
    }

    /** Starts a generator at this bus; it waits until the bus listens. */
    Worker generator() throws IOException, InterruptedException {
        return Worker.busload(name, socket, GENERATOR_PROCESSOR);
    }

    /** Starts a generator that shares the processor of this bus. */
    Worker generatorBeside() throws IOException, InterruptedException {
        return Worker.busload(name, socket, BUS_PROCESSOR);
    }

    /** Ends the bus. */
    @Override
    public void close() throws IOException {
        process.close();
        boolean ignored = Files.deleteIfExists(socket);
        ignored = Files.deleteIfExists(Path.of(socket + ".conf")); // of dbus-daemon
    }
}
