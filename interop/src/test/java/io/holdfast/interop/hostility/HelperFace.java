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
 * The socket of the authentication helper, for which the manager starts one helper per connection:
 * an agent sends a user and a cookie, one per line, and receives a line.
 */
record HelperFace() implements EntryPoint {
    @Override
    public String name() {
        return "authentication helper";
    }

    @Override
    public Daemon daemon() {
        return Daemon.MANAGER;
    }

    @Override
    public String socket() {
        return StackStage.RUNTIME + "/agent-helper.socket";
    }

    /** Each connection starts a JVM, up to the limit of one user (MaxConnectionsPerSource=16). */
    @Override
    public int connections() {
        return 20;
    }

    /** Seventeen JVMs start at once. */
    @Override
    public Duration answerTimeout() {
        return Duration.ofSeconds(60);
    }

    @Override
    public Set<Hostility> hostilities() {
        return EnumSet.of(Hostility.HALF_SENT);
    }

    @Override
    public List<Method> methods(StackUnderAttack stack) {
        return List.of(new Authentication());
    }

    @Override
    public byte[] greeting() {
        return new byte[0];
    }

    @Override
    public Optional<Call> question() {
        return Optional.of(new Authentication().call(2, 0, 0));
    }

    @Override
    public Dialogue dialogue(UnixSocket socket) {
        return (call, some) -> {
            call.send(socket, some, 0);
            ByteBuffer answer = ByteBuffer.allocate(1 << 10);
            while (answer.position() == 0 || answer.get(answer.position() - 1) != '\n') {
                if (socket.receive(answer) == UnixSocket.END) {
                    throw new IllegalStateException("disconnected");
                }
            }
            return new Answer(answer.position(), "");
        };
    }

    private record Authentication() implements Method {
        @Override
        public String name() {
            return "authentication";
        }

        @Override
        public Call call(int serial, int arguments, int descriptors) {
            return new Call(
                    (StackStage.USER + "\n1-no-such-cookie-" + arguments + "\n").getBytes(UTF_8),
                    descriptors);
        }
    }
}
