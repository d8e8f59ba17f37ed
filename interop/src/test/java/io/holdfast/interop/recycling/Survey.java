package io.holdfast.interop.recycling;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Asks questions until the time is over and each was judged often enough. The questions of one
 * thread take turns.
 */
final class Survey {
    /** How long a busy machine may take to judge each question often enough. */
    private static final Duration TIMEOUT = Duration.ofMinutes(4);

    private record TalliedQuestion(QuestionTally tally, Question question) {}

    private final Board board;
    private final QuestionTally fooled =
            new QuestionTally("for comparison: a number, looked up twice");
    private final List<QuestionTally> tallies = new ArrayList<>();
    private final List<List<TalliedQuestion>> threads = new ArrayList<>();

    Survey(Board board) {
        this.board = board;
    }

    /** Adds a tally for answers that arrive without a question. */
    QuestionTally tally(String name) {
        QuestionTally tally = new QuestionTally(name);
        tallies.add(tally);
        return tally;
    }

    /** Puts the questions that are added from now on on another thread. */
    Survey onAnotherThread() {
        threads.add(new ArrayList<>());
        return this;
    }

    Survey question(String name, Question question) {
        threads.getLast().add(new TalliedQuestion(tally(name), question));
        return this;
    }

    /** Adds a question that must be answered wrongly now and then. */
    Survey fooling(Question question) {
        threads.getLast().add(new TalliedQuestion(fooled, question));
        return this;
    }

    /** Asks all questions. */
    void run(Duration time) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> running = new ArrayList<>();
        for (List<TalliedQuestion> questions : threads) {
            running.add(
                    Thread.ofPlatform()
                            .name(questions.getFirst().tally().question())
                            .start(() -> takeTurns(questions, start, time)));
        }
        for (Thread thread : running) {
            thread.join();
        }
    }

    private void takeTurns(List<TalliedQuestion> questions, long start, Duration time) {
        Random random = new Random(questions.hashCode());
        while (!isOver(System.nanoTime() - start, time)) {
            for (TalliedQuestion one : questions) {
                one.tally().add();
                try {
                    one.question().runOnce(one.tally(), random.nextInt(board.slots()), random);
                } catch (Exception | Error e) {
                    one.tally().failed(e);
                }
            }
        }
    }

    private boolean isOver(long passed, Duration time) {
        return passed > TIMEOUT.toNanos()
                || (passed > time.toNanos()
                        && fooled.isFooled()
                        && tallies.stream().allMatch(QuestionTally::isEnough));
    }

    /** Returns whether no question was answered wrongly but the one that must be. */
    boolean isGood() {
        return fooled.isFooled() && tallies.stream().allMatch(QuestionTally::isGood);
    }

    /** Returns one line for each question. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        tallies.forEach(tally -> lines.add(tally.toString()));
        lines.add(fooled.toString());
        return lines;
    }
}
