package io.holdfast.manager.loop;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Platform threads for calls that may block in the kernel; the answers are posted back to the loop.
 *
 * <p>A call into the kernel can block for as long as another party decides: a file server that is
 * gone, a file system that a user serves, a process whose memory is read for its command line. Such
 * a call may cost no more than the unit it is made for. So work is queued in {@linkplain Lane
 * lanes}: the work of one lane runs in order, on at most one thread. A unit has two lanes, one for
 * its start and the clean-up after its end, one for stopping it meanwhile.
 *
 * <p>Few threads run at once, as there are few processors. Work that takes longer than {@link
 * #SLOW} no longer counts against that limit, so that other work always finds a thread, up to a
 * number of threads that no healthy machine comes near.
 *
 * <p>No answer is awaited for ever: see {@link Work#within}. Safe for use by any thread.
 */
public final class Workers implements AutoCloseable {
    /** Work that takes longer is taken to be blocked in the kernel. */
    static final Duration SLOW = Duration.ofSeconds(1);

    private static final long IDLE_SECONDS = 10;

    /** The owner of the manager's own work. */
    public static final Object MANAGER = "manager";

    final EventLoop loop;
    private final int atOnce;
    private final int most;
    private final Consumer<String> warnings;
    private final ThreadPoolExecutor threads;

    @GuardedBy("this")
    private final Map<String, Lane> lanes = new HashMap<>(); // with work in them

    /** The lanes with work but without a thread, by their owners, who take turns. */
    @GuardedBy("this")
    private final SequencedMap<Object, Deque<Lane>> ready = new LinkedHashMap<>();

    @GuardedBy("this")
    private final Set<Work<?>> running = new LinkedHashSet<>();

    @GuardedBy("this")
    private final Set<Work<?>> open = new LinkedHashSet<>(); // whose answer is not delivered yet

    @GuardedBy("this")
    private int slow; // how many of the running ones

    @GuardedBy("this")
    private boolean looking;

    @GuardedBy("this")
    private long ended;

    @GuardedBy("this")
    private boolean closed;

    /**
     * Creates the workers for the manager's own work.
     *
     * @param warnings called with a line about work that does not return; on the loop, or by the
     *     thread that closes
     */
    public Workers(EventLoop loop, Consumer<String> warnings) {
        this(loop, "holdfast-work-", ManagerLimits.WORKERS.intValue(), warnings);
    }

    /**
     * Creates the workers for read-only requests of clients, so that these never delay the
     * manager's own work.
     */
    public static Workers forReaders(EventLoop loop, Consumer<String> warnings) {
        return new Workers(loop, "holdfast-read-", ManagerLimits.READERS.intValue(), warnings);
    }

    private Workers(EventLoop loop, String name, int atOnce, Consumer<String> warnings) {
        this.loop = loop;
        this.atOnce = atOnce;
        this.most = ManagerLimits.WORKER_THREADS.intValue();
        this.warnings = warnings;
        this.threads =
                new ThreadPoolExecutor(
                        0,
                        Integer.MAX_VALUE, // bounded by what is dispatched
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        Thread.ofPlatform().daemon().name(name, 0).factory());
    }

    /** Returns the lane of this name; concurrent callers get the same one. */
    public synchronized Lane lane(String name) {
        Lane there = lanes.get(name);
        return there != null ? there : new Lane(this, name, true, MANAGER);
    }

    /** Creates a lane that only the caller uses. */
    public Lane ownLane(String name) {
        return ownLane(name, MANAGER);
    }

    /**
     * Creates a lane that only the caller uses, for work of this owner: however many lanes one has
     * that wait for a thread, the next of any other owner waits for a single one of them.
     */
    public Lane ownLane(String name, Object owner) {
        return new Lane(this, name, false, owner);
    }

    synchronized boolean isClosed() {
        return closed;
    }

    /** {@return how much running work is no longer awaited} */
    synchronized int hanging() {
        return (int) running.stream().filter(Work::isGivenUp).count();
    }

    /**
     * Queues work in its lane.
     *
     * @param first before the work that already waits there
     * @throws RejectedExecutionException after the close, or if the lane is full
     */
    synchronized void add(Work<?> work, boolean first) {
        Lane lane = work.lane;
        if (closed) {
            throw new RejectedExecutionException("the manager has stopped");
        }
        if (lane.waiting.size() >= ManagerLimits.LANE.intValue()) {
            throw new RejectedExecutionException(
                    "%s: %d tasks wait already, which is the limit%s; %s"
                            .formatted(
                                    lane.name,
                                    lane.waiting.size(),
                                    behind(lane),
                                    ManagerLimits.LANE.remedy()));
        }
        open.add(work);
        if (first) {
            lane.waiting.addFirst(work);
        } else {
            lane.waiting.addLast(work);
        }
        if (lane.isNamed) {
            lanes.putIfAbsent(lane.name, lane);
        }
        makeReady(lane);
        dispatch();
    }

    @GuardedBy("this")
    private void makeReady(Lane lane) {
        if (lane.current == null && !lane.isReady && !lane.waiting.isEmpty()) {
            lane.isReady = true;
            ready.computeIfAbsent(lane.owner, _ -> new ArrayDeque<>()).addLast(lane);
        }
    }

    @GuardedBy("this")
    private void dispatch() {
        while (!ready.isEmpty() && running.size() < most && running.size() - slow < atOnce) {
            Lane lane = nextReady();
            lane.isReady = false;
            Work<?> next = lane.waiting.pollFirst();
            if (next == null) {
                forget(lane); // all its work was cancelled
                continue;
            }
            lane.current = next;
            next.begun();
            running.add(next);
            try {
                threads.execute(next::perform);
            } catch (RejectedExecutionException | OutOfMemoryError e) { // no thread available
                next.fail(new IllegalStateException("cannot start a thread: " + e.getMessage(), e));
            }
        }
        if (!ready.isEmpty() && !looking && !closed) {
            looking = true;
            loop.postEnding(() -> {
                EventLoop.Timer _ = loop.after(SLOW, this::look);
            });
        }
    }

    /** Removes the next lane of the owner whose turn it is, who is then the last. */
    @GuardedBy("this")
    private Lane nextReady() {
        Map.Entry<Object, Deque<Lane>> turn = ready.pollFirstEntry();
        Lane lane = turn.getValue().removeFirst();
        if (!turn.getValue().isEmpty()) {
            ready.putLast(turn.getKey(), turn.getValue());
        }
        return lane;
    }

    /** Stops counting work that takes long, and dispatches. */
    private synchronized void look() {
        looking = false;
        for (Work<?> work : running) {
            if (work.isSlowNow()) {
                slow++;
            }
        }
        dispatch();
    }

    /** Frees the lane of work that has returned. */
    synchronized void over(Work<?> work) {
        boolean _ = running.remove(work);
        if (work.wasSlow()) {
            slow--;
        }
        ended++;
        work.lane.current = null;
        makeReady(work.lane);
        forget(work.lane);
        dispatch();
        endThreads();
        notifyAll();
    }

    /** Ends the threads after the close, once nothing runs; nothing waits then either. */
    private synchronized void endThreads() {
        if (closed && running.isEmpty() && ready.isEmpty()) {
            threads.shutdown();
        }
    }

    @GuardedBy("this")
    private void forget(Lane lane) {
        if (lane.isNamed && lane.current == null && lane.waiting.isEmpty()) {
            boolean _ = lanes.remove(lane.name, lane);
        }
    }

    /** Records that the work's answer is no longer awaited. */
    synchronized void settled(Work<?> work) {
        boolean _ = open.remove(work);
    }

    /** Removes work that has not begun from its lane. */
    synchronized boolean remove(Work<?> work) {
        return work.lane.waiting.remove(work);
    }

    // ---- messages

    /** Describes why the work has not returned. */
    synchronized String reason(Work<?> work) {
        if (running.contains(work)) {
            return work.what + " has not returned from the kernel for " + seconds(work);
        }
        String behind = behind(work.lane);
        return behind.isEmpty()
                ? "no thread is free for %s: %d of %d wait in the kernel; %s"
                        .formatted(work.what, slow, most, ManagerLimits.WORKER_THREADS.remedy())
                : work.what + " has not begun" + behind;
    }

    @GuardedBy("this")
    private String behind(Lane lane) {
        Work<?> current = lane.current;
        return current == null
                ? ""
                : ": " + current.what + " has not returned from the kernel for " + seconds(current);
    }

    private static String seconds(Work<?> work) {
        return work.age().toMillis() / 1000.0 + " s";
    }

    /** Reports that running work was given up. */
    void reportAbandoned(Work<?> work) {
        warnings.accept(
                "%s: %s; only this unit is affected; %d worker threads, %d of them blocked"
                        .formatted(work.lane.name, reason(work), most, hanging()));
    }

    /** Reports that work that was given up has returned. */
    void reportReturned(Work<?> work) {
        String text =
                "%s: %s has returned from the kernel after %s"
                        .formatted(work.lane.name, work.what, seconds(work));
        loop.postEnding(() -> warnings.accept(text));
    }

    /** Reports that a result, which is no longer awaited, could not be released. */
    void reportNotReleased(Work<?> work, RuntimeException why) {
        loop.postEnding(() ->
                warnings.accept(
                        "%s: %s finished too late; cannot release its result: %s"
                                .formatted(work.lane.name, work.what, why.getMessage())));
    }

    // ---- the end

    /**
     * Waits until running and waiting work has ended, as long as some of it makes progress. Work
     * that has not returned by then is left behind, with the work that waits in its lane: if it
     * returns after all, the clean-up behind it still runs. Its threads end with the process.
     */
    @Override
    public void close() {
        List<Work<?>> undelivered;
        String left;
        synchronized (this) {
            closed = true;
            awaitEnd();
            left =
                    running.stream()
                            .map(work -> work.lane.name + ": " + work.what)
                            .collect(Collectors.joining(", "));
            undelivered = List.copyOf(open);
        }
        undelivered.forEach(Work::cancel);
        endThreads();
        if (!left.isEmpty()) {
            warnings.accept("stopping while work is blocked in the kernel: " + left);
        }
    }

    @GuardedBy("this")
    private void awaitEnd() {
        long seen = ended;
        long start = System.nanoTime();
        while (!running.stream().allMatch(Work::isGivenUp) || !ready.isEmpty()) {
            if (ended != seen) {
                seen = ended;
                start = System.nanoTime();
            }
            if (System.nanoTime() - start > ManagerLimits.KILL_TIMEOUT.duration().toNanos()) {
                return;
            }
            try {
                wait(SLOW.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            look();
        }
    }
}
