package io.holdfast.benchmarks.operations;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.marshal.MessageWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A bus in this JVM: a signal from one client to another, which has a match rule for it. */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // set by connect()
public class BusOperations {
    private static final int SIGNALS = 64; // at once

    private Bus bus;
    private BusClient sender;
    private BusClient receiver;
    private ByteBuffer sent;
    private ByteBuffer received;

    @Setup
    public void connect() throws InterruptedException {
        String name = "holdfast-operations-" + ProcessHandle.current().pid();
        bus = Bus.open(BusAddress.parse("unix:abstract=" + name), BusConfig.permissive());
        sender = BusClient.connect(UnixAddress.abstractName(name));
        receiver = BusClient.connect(UnixAddress.abstractName(name));
        receiver.call("AddMatch", "type='signal',interface='org.example.Clock',member='Tick'");
        MemorySegment signal =
                new MessageWriter()
                        .signal("/org/example/Clock", "org.example.Clock", "Tick")
                        .serial(1)
                        .finish();
        // arrays: for direct buffers the clients may allocate segments, which would count here
        sent = ByteBuffer.allocate(SIGNALS * (int) signal.byteSize());
        while (sent.hasRemaining()) {
            sent.put(signal.asByteBuffer());
        }
        sender.send(sent.slice(0, (int) signal.byteSize()));
        received = ByteBuffer.allocate(SIGNALS * receiver.next().length());
    }

    @Benchmark
    @OperationsPerInvocation(SIGNALS)
    public int signal() throws InterruptedException {
        sender.send(sent.clear());
        receiver.receive(received.clear());
        return received.position();
    }

    @TearDown
    public void close() {
        receiver.close();
        sender.close();
        bus.close();
    }
}
