package io.holdfast.benchmarks.operations;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A message of 1 KiB from one end of a stream to the other, by one thread, so that nothing waits.
 */
@State(Scope.Thread)
public class SocketOperations {
    private static final int LENGTH = 1 << 10;

    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private final ByteBuffer message = ByteBuffer.allocateDirect(LENGTH);
    private final ByteBuffer room = ByteBuffer.allocateDirect(LENGTH);

    @Benchmark
    public int sendAndReceive() throws InterruptedException {
        return pair[0].send(message.clear()) + pair[1].receive(room.clear());
    }

    @TearDown
    public void close() {
        pair[0].close();
        pair[1].close();
    }
}
