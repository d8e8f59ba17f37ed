package io.holdfast.benchmarks.operations;

import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A D-Bus message that is read and checked in place. */
@State(Scope.Thread)
public class MessageOperations {
    private final MessageView view = new MessageView();
    private final MemorySegment one = call("Ask");
    private final MemorySegment other = call("Tell");

    private static MemorySegment call(String member) {
        return new MessageWriter()
                .methodCall("/org/example/Clock", "org.example.Clock", member)
                .serial(7)
                .destination("org.example.Clock")
                .body("su")
                .putString("Europe/Berlin")
                .putUint32(1)
                .end()
                .finish();
    }

    @Benchmark
    public MessageView sameHeader() {
        return read(one);
    }

    /** Each header differs from the one before. */
    @Benchmark
    @OperationsPerInvocation(2)
    public int otherHeader() {
        return read(one).serial() + read(other).serial();
    }

    private MessageView read(MemorySegment message) {
        view.read(message, 0, MessageView.lengthOf(message, 0));
        return view;
    }
}
