package io.holdfast.interop.hostility;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.interop.hostility.EntryPoint.Call;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One hostility against some methods of a face, by a separate process; what it has opened stays
 * open until the attack is closed. It is no failure if the face refuses or disconnects it.
 */
final class Attack implements AutoCloseable {
    /** The size of a call that is one of several in a packet. */
    private static final int SHORT = 16 << 10;

    /** One byte less than the part of a D-Bus message that contains its length. */
    private static final int FIRST = 15;

    /** Between the calls of an attack that goes on, which others must not be slowed by. */
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final EntryPoint face;
    private final List<? extends EntryPoint.Method> methods;
    private final UserProcess attacker;
    private final AtomicInteger calls = new AtomicInteger();

    @GuardedBy("this")
    private final List<UnixSocket> sockets = new ArrayList<>();

    @GuardedBy("this")
    private final List<Thread> threads = new ArrayList<>();

    @GuardedBy("this")
    private boolean over;

    @GuardedBy("this")
    private @Nullable RuntimeException failure;

    private Attack(
            EntryPoint face, List<? extends EntryPoint.Method> methods, UserProcess attacker) {
        this.face = face;
        this.methods = methods;
        this.attacker = attacker;
    }

    /**
     * Begins an attack that sends descriptors beside calls until it is closed.
     *
     * @param attacker owned by the attack from now on
     * @param given the descriptors, all beside each call; lent until the attack is closed
     */
    static Attack sending(
            List<Fd> given,
            EntryPoint face,
            List<? extends EntryPoint.Method> methods,
            UserProcess attacker) {
        Attack attack = new Attack(face, methods, attacker);
        attack.inBackground(() -> {
            for (int i = 0; ; i++) {
                try (UnixSocket socket = attack.connect()) {
                    attack.call(i, given.size()).send(socket, given, 0);
                    attack.calls.incrementAndGet();
                } catch (ErrnoException e) {
                    // refused or disconnected: again
                }
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        });
        return attack;
    }

    /** One action of an attacker. */
    interface Step {
        void run() throws InterruptedException;
    }

    /**
     * Begins an attack.
     *
     * @param attacker owned by the attack from now on
     */
    static Attack begin(
            Hostility hostility,
            EntryPoint face,
            List<? extends EntryPoint.Method> methods,
            UserProcess attacker) {
        Attack attack = new Attack(face, methods, attacker);
        attack.inBackground(() -> hostility.run(attack));
        return attack;
    }

    /** Runs a step on a new thread, until the attack is over. */
    synchronized void inBackground(Step step) {
        if (!over) {
            threads.add(Thread.ofVirtual().start(() -> run(step)));
        }
    }

    private void run(Step step) {
        try {
            step.run();
        } catch (ErrnoException | InterruptedException e) {
            // refused, disconnected, or over
        } catch (RuntimeException e) {
            synchronized (this) {
                if (!over && failure == null) {
                    failure = e;
                }
            }
        }
    }

    /** Returns whether all steps have ended. */
    synchronized boolean isSpent() {
        return threads.stream().noneMatch(Thread::isAlive);
    }

    /** Returns how many calls were sent. */
    int calls() {
        return calls.get();
    }

    /** Returns how many connections an attacker opens, see {@link EntryPoint#connections}. */
    int connections() {
        return face.connections();
    }

    /** Connects and sends the greeting. */
    UnixSocket connect() throws InterruptedException {
        UnixSocket socket =
                face.takesDatagrams()
                        ? attacker.datagram(face.socket())
                        : attacker.connect(face.socket());
        synchronized (this) {
            sockets.add(socket);
        }
        socket.sendFully(ByteBuffer.wrap(face.greeting()));
        return socket;
    }

    /** Calls the methods in turn, so many times in total. */
    void call(UnixSocket socket, int times, int descriptors) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            call(i, descriptors).send(socket, attacker.process().fd(), 0);
            calls.incrementAndGet();
        }
    }

    private Call call(int number, int descriptors) {
        return methods.get(number % methods.size())
                .call(2 + number, number / methods.size(), descriptors);
    }

    /**
     * Sends a part of a call.
     *
     * @param number chooses the call, and how much of it is sent
     */
    void callInPart(UnixSocket socket, int number) throws InterruptedException {
        Call call = call(number, 0);
        int length = call.bytes().length;
        int sent = List.of(1, FIRST, length / 2, length - 1).get(number % 4);
        sendPart(socket, call, sent);
    }

    /** Sends the first bytes of a call, with all its descriptors. */
    void beginCall(UnixSocket socket, int descriptors) throws InterruptedException {
        sendPart(socket, call(0, descriptors), FIRST);
    }

    private void sendPart(UnixSocket socket, Call call, int bytes) throws InterruptedException {
        int length = call.bytes().length;
        call.send(socket, attacker.process().fd(), length - Math.clamp(bytes, 1, length - 1));
        calls.incrementAndGet();
    }

    /** Connects, calls some methods, and disconnects, repeatedly. */
    void comeAndGo(Duration time) throws InterruptedException {
        ByteArrayOutputStream says = new ByteArrayOutputStream();
        says.writeBytes(face.greeting());
        for (int i = 0; i < 4; i++) {
            Call call = call(i, 0);
            if (call.bytes().length < SHORT) {
                says.writeBytes(call.bytes());
            }
        }
        calls.addAndGet(attacker.churn(face.socket(), time, says.toByteArray()));
    }

    /** Ends the attacker's process, and closes everything that it has opened. */
    @Override
    public void close() {
        List<UnixSocket> open;
        synchronized (this) {
            over = true;
            threads.forEach(Thread::interrupt);
            open = List.copyOf(sockets);
        }
        attacker.close();
        open.forEach(UnixSocket::close);
        RuntimeException unforeseen;
        synchronized (this) {
            unforeseen = failure;
        }
        if (unforeseen != null) {
            throw new IllegalStateException("the attack itself failed", unforeseen);
        }
    }
}
