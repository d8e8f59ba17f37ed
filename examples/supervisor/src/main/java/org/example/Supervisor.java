package org.example;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Runs many children, each supervised by its own virtual thread: {@code java -jar supervisor.jar
 * CHILDREN}.
 *
 * <p>Every third child fails at first, and is started again. No platform thread waits for a child:
 * one epoll instance watches the pidfds of all children.
 */
public final class Supervisor {
    private static final int STARTS = 3;

    private Supervisor() {}

    static void main(String[] arguments) throws InterruptedException, ExecutionException {
        int children = Integer.parseInt(arguments[0]);
        List<Future<Integer>> starts = new ArrayList<>();
        try (ExecutorService supervisors = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < children; i++) {
                int number = i;
                starts.add(supervisors.submit(() -> supervise(number)));
            }
        }
        int sum = 0;
        for (Future<Integer> start : starts) {
            sum += start.get();
        }
        System.out.println(children + " children succeeded after " + sum + " starts");
    }

    /** Starts a child until it succeeds; returns the number of starts. */
    private static int supervise(int number) throws InterruptedException {
        for (int start = 1; start <= STARTS; start++) {
            int status = number % 3 == 0 && start == 1 ? 1 : 0;
            try (Child child = Spawn.of("sh", "-c", "exit " + status).start()) {
                Exit exit = child.await();
                if (exit.isSuccess()) {
                    return start;
                }
            }
        }
        throw new IllegalStateException("child " + number + " has failed " + STARTS + " times");
    }
}
