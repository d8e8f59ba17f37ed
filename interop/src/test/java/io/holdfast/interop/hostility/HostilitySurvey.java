package io.holdfast.interop.hostility;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.interop.hostility.EntryPoint.Answer;
import io.holdfast.interop.hostility.EntryPoint.Call;
import io.holdfast.interop.hostility.EntryPoint.Dialogue;
import io.holdfast.interop.hostility.EntryPoint.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
     * @param errors all error replies
     */
    record Surveyed(Method method, int longest, int length, Set<String> errors) implements Method {
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
                found.add(
                        isWorthwhile ? survey.tried(method) : new Surveyed(method, 0, 0, Set.of()));
            }
        }
        return found;
    }

    private Surveyed tried(Method method) throws InterruptedException {
        Set<String> errors = new LinkedHashSet<>();
        Surveyed longest = new Surveyed(method, 0, 0, errors);
        for (int arguments = 0; arguments < TRIES; arguments++) {
            Answer answer = answer(method, arguments);
            if (!answer.error().isEmpty()) {
                errors.add(answer.error());
            }
            if (answer.length() > longest.length) {
                longest = new Surveyed(method, arguments, answer.length(), errors);
            }
        }
        return longest;
    }

    /** Returns the answer; an empty one if there is none. */
    private Answer answer(Method method, int arguments) throws InterruptedException {
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
            return pending.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) { // no answer, or disconnected
            thread.interrupt();
            hangUp();
            return new Answer(0, "");
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
