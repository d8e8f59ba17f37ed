package io.holdfast.interop.hostility;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.interop.stack.StackStage;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The socket of the authentication helper, for which the manager starts one helper per connection:
 * an agent sends a user and a cookie, one per line, and receives a line.
 */
record HelperFace() implements EntryPoint {
    /**
     * How many connections a user may have: as many as the shipped socket permits (16) in a long
     * run, fewer in a short one, for each starts a JVM.
     */
    static final int MOST = Boolean.getBoolean("holdfast.long") ? 16 : 6;

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

    @Override
    public int questions() {
        return MOST;
    }

    @Override
    public int connections() {
        return MOST + 2;
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
