package io.holdfast.interop.hostility;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.interop.hostility.EntryPoint.Answer;
import io.holdfast.interop.hostility.EntryPoint.Call;
import io.holdfast.interop.hostility.EntryPoint.Dialogue;
import io.holdfast.interop.hostility.EntryPoint.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Tries all methods of a face with several arguments each, to find out which answers are long:
 * attackers call those.
 */
final class HostilitySurvey implements AutoCloseable {
    /** The number of bytes from which an answer counts as long. */
    private static final int LONG = 4 << 10;

    private static final int TRIES = 8;
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    private final EntryPoint face;
    private final UserProcess user;
    private Optional<UnixSocket> socket = Optional.empty();
    private Optional<Dialogue> dialogue = Optional.empty();
    private int serial = 1;

    /**
     * A method whose calls are mostly those with the longest answer.
     *
     * @param longest the seed of the arguments that lead to it
     * @param length the length of that answer, in bytes
     */
    record Surveyed(Method method, int longest, int length) implements Method {
        @Override
        public String name() {
            return method.name();
        }

        @Override
        public Call call(int serial, int arguments, int descriptors) {
            return method.call(serial, arguments % 4 == 3 ? arguments : longest, descriptors);
        }

        boolean isLong() {
            return length >= LONG;
        }
    }

    private HostilitySurvey(EntryPoint face, UserProcess user) {
        this.face = face;
        this.user = user;
    }

    /** Surveys a face as the user that will attack it. */
    static List<Surveyed> of(StackUnderAttack stack, EntryPoint face) throws InterruptedException {
        List<Surveyed> found = new ArrayList<>();
        try (HostilitySurvey survey = new HostilitySurvey(face, stack.attacker(face))) {
            List<? extends Method> methods = face.methods(stack);
            boolean isWorthwhile = face.question().isPresent() && methods.size() > 1;
            for (Method method : methods) {
                found.add(isWorthwhile ? survey.tried(method) : new Surveyed(method, 0, 0));
            }
        }
        return found;
    }

    private Surveyed tried(Method method) throws InterruptedException {
        Surveyed longest = new Surveyed(method, 0, 0);
        for (int arguments = 0; arguments < TRIES; arguments++) {
            int length = lengthOf(method, arguments);
            if (length > longest.length) {
                longest = new Surveyed(method, arguments, length);
            }
        }
        return longest;
    }

    /** Returns the length of the answer; 0 if there is none. */
    private int lengthOf(Method method, int arguments) throws InterruptedException {
        serial++;
        Call call = method.call(serial, arguments, 0);
        if (dialogue.isEmpty()) {
            UnixSocket opened = user.connect(face.socket());
            socket = Optional.of(opened);
            dialogue = Optional.of(face.dialogue(opened));
        }
        Dialogue with = dialogue.get();
        FutureTask<Answer> pending = new FutureTask<>(() -> with.call(call, user.process().fd()));
        Thread thread = Thread.ofVirtual().start(pending);
        try {
            return pending.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).length();
        } catch (TimeoutException | ExecutionException e) { // no answer, or disconnected
            thread.interrupt();
            hangUp();
            return 0;
        }
    }

    private void hangUp() {
        socket.ifPresent(UnixSocket::close);
        socket = Optional.empty();
        dialogue = Optional.empty();
    }

    @Override
    public void close() {
        hangUp();
        user.close();
    }
}
