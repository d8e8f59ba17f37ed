package io.holdfast.interop.hostility;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One way into a daemon: a row of the matrix. {@link Faces} lists them all.
 *
 * <p>Callers speak bytes: an attacker sends calls whose answers it never reads, and cuts them where
 * it likes.
 */
interface Face {
    /** As {@code manager on D-Bus}. */
    String name();

    Daemon daemon();

    /** The path of its socket on the stage. */
    String socket();

    /** Whether its socket takes datagrams. */
    default boolean takesDatagrams() {
        return false;
    }

    /** Whether only root can connect: then root attacks it, and asks it meanwhile. */
    default boolean isForRoot() {
        return false;
    }

    /** How long an innocent caller waits for an answer at most. */
    default Duration patience() {
        return Duration.ofSeconds(20);
    }

    /** How many connections an attacker opens who does little with each. */
    default int connections() {
        return 64;
    }

    /** What makes sense against it. */
    default Set<Hostility> hostilities() {
        return EnumSet.allOf(Hostility.class);
    }

    /** Finds all methods, by asking the face itself. */
    List<? extends Method> methods(StackUnderAttack stack) throws InterruptedException;

    /** What a caller sends before its first call. */
    byte[] greeting();

    /** A call that must be answered whatever other users do; empty if nothing is ever answered. */
    Optional<Call> question();

    /**
     * Converses over a connection, reading every answer.
     *
     * @param socket connected, and stays the caller's
     */
    Dialogue dialogue(UnixSocket socket);

    /** Something that a caller can ask for. */
    interface Method {
        /** Its full name. */
        String name();

        /**
         * A call with made-up arguments.
         *
         * @param serial unique on its connection, over 1
         * @param arguments the number of the arguments: the same number gives the same arguments
         * @param descriptors how many go beside the call, if its arguments need no more
         */
        Call call(int serial, int arguments, int descriptors);
    }

    /**
     * What is sent to call.
     *
     * @param descriptors how many must go beside the bytes
     */
    @SuppressWarnings("ArrayRecordComponent") // made once, sent once
    record Call(byte[] bytes, int descriptors) {
        /**
         * Sends it.
         *
         * @param some the descriptor that goes beside it, as often as needed; lent
         * @param unsent how many bytes at the end are not sent
         */
        void send(UnixSocket socket, Fd some, int unsent) throws InterruptedException {
            ByteBuffer rest = ByteBuffer.wrap(bytes, 0, bytes.length - unsent);
            if (descriptors > 0) {
                int ignored = socket.send(rest, Collections.nCopies(descriptors, some));
            }
            if (rest.hasRemaining()) {
                socket.sendFully(rest);
            }
        }
    }

    /** A conversation of a caller that reads what it is answered. */
    interface Dialogue {
        /**
         * Calls and reads the answer.
         *
         * @param some the descriptor that goes beside the call, if it needs any; lent
         * @throws IllegalStateException if the face disconnects
         */
        Answer ask(Call call, Fd some) throws InterruptedException;
    }

    /**
     * An answer.
     *
     * @param length in bytes
     * @param error its name; empty if it is none
     */
    record Answer(int length, String error) {}
}
