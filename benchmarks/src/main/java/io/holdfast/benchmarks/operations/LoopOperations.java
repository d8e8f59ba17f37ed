package io.holdfast.benchmarks.operations;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A turn of the event loop with one event: a byte that waits and is never read. */
@State(Scope.Thread)
public class LoopOperations {
    private final EventLoop loop = EventLoop.open();
    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private int events;

    public LoopOperations() {
        var _ = loop.watch(pair[1].fd(), Readiness.IN, ready -> events += ready);
        int _ = pair[0].trySend(ByteBuffer.allocate(1));
    }

    @Benchmark
    public int turn() {
        return loop.step(Duration.ZERO) + events;
    }

    @TearDown
    public void close() {
        loop.close();
        pair[0].close();
        pair[1].close();
    }
}
