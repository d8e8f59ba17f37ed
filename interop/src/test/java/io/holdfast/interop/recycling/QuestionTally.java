package io.holdfast.interop.recycling;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** The count of one question: how often it was asked, judged, and answered wrongly. */
final class QuestionTally {
    private static final int SHOWN = 5;
    private static final int ENOUGH = 10;

    private final String question;
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong judged = new AtomicLong();
    private final AtomicLong wrong = new AtomicLong();
    private final List<String> examples = new CopyOnWriteArrayList<>();

    QuestionTally(String question) {
        this.question = question;
    }

    /** Counts one run of the question. */
    void add() {
        long _ = count.incrementAndGet();
    }

    /** Counts an answer that could be compared with the truth, and whether it was right. */
    void judge(boolean right, String answer) {
        long _ = judged.incrementAndGet();
        if (!right) {
            wrong(answer);
        }
    }

    private void wrong(String answer) {
        if (wrong.incrementAndGet() <= SHOWN) {
            examples.add(answer);
        }
    }

    /** Counts a failure of the question itself that must not happen. */
    void failed(Throwable failure) {
        wrong(String.valueOf(failure));
    }

    String question() {
        return question;
    }

    /** Returns whether there was a wrong answer. */
    boolean isFooled() {
        return wrong.get() > 0;
    }

    /** Returns whether it was judged often enough for its count to mean something. */
    boolean isEnough() {
        return judged.get() >= ENOUGH;
    }

    /** Returns whether it was judged often enough, and never wrong. */
    boolean isGood() {
        return isEnough() && wrong.get() == 0;
    }

    /** Returns one line, and examples of wrong answers. */
    @Override
    public String toString() {
        String line =
                "%-45s %,10d asked %,10d judged %6d wrong"
                        .formatted(question, count.get(), judged.get(), wrong.get());
        return examples.isEmpty() ? line : line + "\n  " + String.join("\n  ", examples);
    }
}
