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
 * One entry point of a daemon: a row of the matrix. {@link Faces} lists them all.
 *
 * <p>Callers send bytes: an attacker sends calls whose answers it never reads, and cuts them at any
 * byte.
 */
interface EntryPoint {
    /** Returns a name such as {@code manager on D-Bus}. */
    String name();

    Daemon daemon();

    /** Returns the path of its socket on the stage. */
    String socket();

    /** Returns whether its socket takes datagrams. */
    default boolean takesDatagrams() {
        return false;
    }

    /**
     * Returns whether only root can connect: then root is both the attacker and the innocent
     * caller.
     */
    default boolean isForRoot() {
        return false;
    }

    /** Returns how long an innocent caller waits for an answer at most. */
    default Duration answerTimeout() {
        return Duration.ofSeconds(60);
    }

    /** Returns how often an innocent caller may ask it during one attack, by its own limits. */
    default int questions() {
        return Integer.MAX_VALUE;
    }

    /** Returns how many connections an attacker opens that does little with each. */
    default int connections() {
        return 64;
    }

    /** Returns the hostilities that make sense against it. */
    default Set<Hostility> hostilities() {
        return EnumSet.allOf(Hostility.class);
    }

    /** Finds all methods by introspection of the face itself. */
    List<? extends Method> methods(StackUnderAttack stack) throws InterruptedException;

    /** Returns what a caller sends before its first call. */
    byte[] greeting();

    /**
     * Returns a call that must be answered whatever other users do; empty if nothing is ever
     * answered.
     */
    Optional<Call> question();

    /**
     * Opens a dialogue over a connection, which reads every answer.
     *
     * @param socket connected; it stays the caller's
     */
    Dialogue dialogue(UnixSocket socket);

    /** A method that a caller can call. */
    interface Method {
        /** Returns its full name. */
        String name();

        /**
         * Makes a call with generated arguments.
         *
         * @param serial unique on its connection, above 1
         * @param arguments the seed of the arguments: the same number gives the same arguments
         * @param descriptors the number of descriptors to send, if the arguments need no more
         */
        Call call(int serial, int arguments, int descriptors);
    }

    /**
     * The bytes of a call.
     *
     * @param descriptors the number of descriptors that must be sent with them
     */
    @SuppressWarnings("ArrayRecordComponent") // made once, sent once
    record Call(byte[] bytes, int descriptors) {
        /**
         * Sends the call.
         *
         * @param some the descriptor that is sent with it, as often as needed; lent
         * @param unsent the number of bytes at the end that are not sent
         */
        void send(UnixSocket socket, Fd some, int unsent) throws InterruptedException {
            send(socket, Collections.nCopies(descriptors, some), unsent);
        }

        /**
         * Sends the call.
         *
         * @param beside the descriptors that are sent with it; lent
         * @param unsent the number of bytes at the end that are not sent
         */
        void send(UnixSocket socket, List<Fd> beside, int unsent) throws InterruptedException {
            ByteBuffer data = ByteBuffer.wrap(bytes, 0, bytes.length - unsent);
            if (!beside.isEmpty()) {
                int ignored = socket.send(data, beside);
            }
            if (data.hasRemaining()) {
                socket.sendFully(data);
            }
        }
    }

    /** The conversation of a caller that reads the answers. */
    interface Dialogue {
        /**
         * Calls and reads the answer.
         *
         * @param some the descriptor that is sent with the call, if it needs any; lent
         * @throws IllegalStateException if the face disconnects
         */
        Answer call(Call call, Fd some) throws InterruptedException;
    }

    /**
     * An answer.
     *
     * @param length in bytes
     * @param error the name and the text of the error; empty if there is none
     */
    record Answer(int length, String error) {}
}
