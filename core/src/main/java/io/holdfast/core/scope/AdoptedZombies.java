package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.StringTokenizer;

/**
 * The zombies of orphans that this JVM adopted and that are in no scope: descendants of a plain
 * {@code Spawn} or of {@code ProcessBuilder}.
 *
 * <p>A child that other code of this JVM has started must not be reaped here: its owner would lose
 * the exit status. The kernel does not tell the two apart, but these facts do together:
 *
 * <ul>
 *   <li>The kernel gives an orphan to the first thread of its new parent. A child that code has
 *       started belongs to the thread that started it, and to the first thread only once that
 *       thread has ended.
 *   <li>The owner of a child waits for it: for each {@code Process}, the JDK has a thread in
 *       waitpid(2), which reaps it at its exit. So a zombie that is found in several passes, with a
 *       pause between them, is waited for by no thread.
 * </ul>
 *
 * <p>For one thread at a time.
 */
final class AdoptedZombies {
    /** In how many consecutive passes a zombie must be found before it is reaped. */
    private static final int PASSES = 3;

    /** The number of zombies that are held between two passes; further ones follow later. */
    private static final int MAX_HELD = 256;

    private Map<PidFd, Integer> passes = new HashMap<>();

    /** Returns whether this JVM has a child that may be an adopted orphan. */
    static boolean areExpected() {
        for (StringTokenizer each = childrenOfFirstThread(); each.hasMoreTokens(); ) {
            try (PidFd child = PidFd.find(Integer.parseInt(each.nextToken())).orElse(null)) {
                if (child != null && child.isChild() && !Child.isStarted(child)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Reaps the zombies that were found often enough; to be called after a pause. */
    void pass() {
        Map<PidFd, Integer> before = passes;
        Map<PidFd, Integer> now = new HashMap<>();
        try {
            StringTokenizer each = childrenOfFirstThread();
            while (each.hasMoreTokens() && now.size() < MAX_HELD) {
                Optional<PidFd> child = PidFd.find(Integer.parseInt(each.nextToken()));
                if (child.isPresent()) {
                    handle(child.get(), before, now);
                }
            }
        } finally {
            before.keySet().forEach(PidFd::close);
            passes = now;
        }
    }

    private static void handle(PidFd child, Map<PidFd, Integer> before, Map<PidFd, Integer> now) {
        boolean kept = false;
        try {
            if (child.state() == PidFd.State.EXITED && child.isChild() && Child.isOrphan(child)) {
                int found = before.getOrDefault(child, 0) + 1;
                kept = found < PASSES || !OwnChildren.reap(child);
                if (kept) {
                    now.put(child, found);
                }
            }
        } finally {
            if (!kept) {
                child.close();
            }
        }
    }

    /** Releases the zombies. */
    void close() {
        passes.keySet().forEach(PidFd::close);
        passes = new HashMap<>();
    }

    /** Returns the PIDs of the children of the first thread; none if that thread has ended. */
    private static StringTokenizer childrenOfFirstThread() {
        try {
            String file = "/proc/self/task/" + Unistd.getpid() + "/children";
            return new StringTokenizer(KernelFile.text(null, file));
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESRCH) {
                return new StringTokenizer("");
            }
            throw e;
        }
    }
}
