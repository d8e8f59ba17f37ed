package io.holdfast.authority.rules.engine;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.Readiness;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that watches the evaluators. It starts another when all are busy for too long, and
 * answers for one that is stuck in a built-in function, where no limit is checked. It sleeps while
 * nothing is evaluated, and looks once a second while checks come and none has to wait.
 */
final class EvaluatorWatch implements Runnable {
    private static final long ROUND_NANOS = 1_000_000_000L;
    private static final long GRACE_NANOS = 500_000_000L;

    private enum Attention {
        ASLEEP,
        ROUNDS,
        CLOSE
    }

    private final RuleEngine engine;
    private final RuleLimits limits;
    private final Thread thread;
    private final List<Evaluator> abandoned = new ArrayList<>();
    private volatile Attention attention = Attention.CLOSE;
    private long seen;
    private volatile int stuck;
    private final AtomicLong stuckEver = new AtomicLong();

    EvaluatorWatch(RuleEngine engine, RuleLimits limits) {
        this.engine = engine;
        this.limits = limits;
        this.thread = new Thread(this, "rules-watch");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    void stop() {
        LockSupport.unpark(thread);
    }

    /** Notices that work was submitted. */
    void noticeWork() {
        if (attention == Attention.ASLEEP) {
            LockSupport.unpark(thread);
        }
    }

    /** Notices that work waits because no evaluator was free. */
    void noticeWait() {
        if (attention != Attention.CLOSE) {
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void run() {
        while (!engine.isClosed()) {
            try {
                engine.generation().prepare();
                look();
            } catch (RuntimeException | Error e) { // thrown by the receiver of an answer
                engine.failed(e);
            }
            long submitted = engine.submitted();
            boolean idle =
                    submitted == seen && !isAnyBusy() && engine.queue().isEmpty() && stuck == 0;
            seen = submitted;
            attention =
                    engine.queue().isAnyReady()
                            ? Attention.CLOSE
                            : idle ? Attention.ASLEEP : Attention.ROUNDS;
            if ((attention == Attention.ASLEEP && engine.submitted() != seen)
                    || (attention != Attention.CLOSE && engine.queue().isAnyReady())) {
                attention = Attention.CLOSE; // work came before the attention was published
            }
            switch (attention) {
                case CLOSE ->
                        LockSupport.parkNanos(
                                this,
                                Math.max(Readiness.nanos(limits.evaluators().busy()) / 2, 100_000));
                case ROUNDS -> LockSupport.parkNanos(this, ROUND_NANOS);
                case ASLEEP -> LockSupport.park(this);
            }
        }
    }

    /** Returns how many abandoned threads still run, as of the last look. */
    int stuck() {
        return stuck;
    }

    /** Returns how many threads were abandoned since the start. */
    long stuckEver() {
        return stuckEver.get();
    }

    private boolean isAnyBusy() {
        return engine.evaluators().stream().anyMatch(evaluator -> evaluator.busyNanos() > 0);
    }

    private void look() {
        boolean _ = abandoned.removeIf(evaluator -> !evaluator.isAlive());
        for (Evaluator evaluator : engine.evaluators()) {
            Optional<SourceLine> where = evaluator.abandonIfStuck(GRACE_NANOS);
            if (where.isPresent()) {
                engine.ended(evaluator);
                abandoned.add(evaluator);
                long _ = stuckEver.incrementAndGet();
                engine.logStuck(where.get(), abandoned.size());
            }
        }
        stuck = abandoned.size();
        engine.queue().stuck(abandoned.size());
        if (engine.queue().isAnyReady()) {
            engine.wakeAny(); // a user's share has grown: work that had to wait may run now
        }
        if (abandoned.size() <= limits.evaluators().count() && isAnotherNeeded()) {
            engine.addEvaluator();
        }
        engine.queue().refuseOverdue();
    }

    private boolean isAnotherNeeded() {
        List<Evaluator> evaluators = engine.evaluators();
        if (evaluators.isEmpty()) {
            return true;
        }
        long busyLimit = Readiness.nanos(limits.evaluators().busy());
        return engine.queue().isAnyReady()
                && evaluators.size() < limits.evaluators().count()
                && evaluators.stream().allMatch(evaluator -> evaluator.busyNanos() > busyLimit);
    }
}
