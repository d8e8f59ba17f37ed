package io.holdfast.interop.hostility;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.interop.stack.StackStage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The socket on which root reads a daemon's metrics, by HTTP: one request per connection.
 *
 * @param folder the daemon's folder in the runtime folder
 */
record MetricsFace(Daemon daemon, String folder) implements EntryPoint {
    @Override
    public String name() {
        return "metrics of " + daemon;
    }

    @Override
    public String socket() {
        return StackStage.RUNTIME + "/" + folder + "/metrics";
    }

    @Override
    public boolean isForRoot() {
        return true;
    }

    @Override
    public int connections() {
        return 20;
    }

    /** Eight clients are served at once, and a silent one is disconnected after five seconds. */
    @Override
    public Duration answerTimeout() {
        return Duration.ofSeconds(30);
    }

    @Override
    public Set<Hostility> hostilities() {
        return EnumSet.of(Hostility.HALF_SENT, Hostility.COMING_AND_GOING);
    }

    @Override
    public List<Method> methods(StackUnderAttack stack) {
        return List.of(new Get());
    }

    @Override
    public byte[] greeting() {
        return new byte[0];
    }

    @Override
    public Optional<Call> question() {
        return Optional.of(new Get().call(2, 0, 0));
    }

    @Override
    public Dialogue dialogue(UnixSocket socket) {
        return (call, some) -> {
            call.send(socket, some, 0);
            int length = 0;
            ByteBuffer answer = ByteBuffer.allocate(1 << 16);
            while (socket.receive(answer.clear()) != UnixSocket.END) {
                length += answer.position();
            }
            if (length == 0) {
                throw new IllegalStateException("disconnected");
            }
            return new Answer(length, "");
        };
    }

    private record Get() implements Method {
        @Override
        public String name() {
            return "GET /metrics";
        }

        @Override
        public Call call(int serial, int arguments, int descriptors) {
            return new Call("GET /metrics HTTP/1.0\r\n\r\n".getBytes(UTF_8), descriptors);
        }
    }
}
