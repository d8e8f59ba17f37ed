package io.holdfast.interop.hostility;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.socket.UnixSocket;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The notify socket of a service (sd_notify(3)), whose name was passed on; it never answers. */
record NotifyFace() implements EntryPoint {
    private static final List<String> MESSAGES =
            List.of(
                    "READY=1",
                    "STATUS=" + "x".repeat(2000),
                    "FDSTORE=1\nFDNAME=mine",
                    "BARRIER=1",
                    "MAINPID=1",
                    "WATCHDOG=1\nWATCHDOG_USEC=1",
                    "EXTEND_TIMEOUT_USEC=99999999",
                    "no assignment",
                    "X".repeat(6000));

    @Override
    public String name() {
        return "notify socket";
    }

    @Override
    public Daemon daemon() {
        return Daemon.MANAGER;
    }

    @Override
    public String socket() {
        return StackUnderAttack.NOTIFY_SOCKET;
    }

    @Override
    public boolean takesDatagrams() {
        return true;
    }

    @Override
    public Set<Hostility> hostilities() {
        return EnumSet.of(Hostility.FULL_SOCKETS, Hostility.DESCRIPTORS);
    }

    @Override
    public List<Method> methods(StackUnderAttack stack) {
        return MESSAGES.stream().<Method>map(Notification::new).toList();
    }

    @Override
    public byte[] greeting() {
        return new byte[0];
    }

    @Override
    public Optional<Call> question() {
        return Optional.empty();
    }

    @Override
    public Dialogue dialogue(UnixSocket socket) {
        throw new UnsupportedOperationException("it sends no answers");
    }

    private record Notification(String text) implements Method {
        @Override
        public String name() {
            return text.lines().findFirst().orElseThrow();
        }

        @Override
        public Call call(int serial, int arguments, int descriptors) {
            return new Call(text.getBytes(UTF_8), descriptors);
        }
    }
}
