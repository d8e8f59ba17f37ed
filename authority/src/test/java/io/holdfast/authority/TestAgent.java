package io.holdfast.authority;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/** An agent whose part the test plays. */
final class TestAgent implements AgentChannel {
    private final BlockingQueue<Dialog> begun = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();

    /** A dialog that waits for its end. */
    record Dialog(Request request, CompletableFuture<End> end) {
        String cookie() {
            return request.cookie();
        }

        void end(End how) {
            boolean first = end.complete(how);
            assert first;
        }
    }

    @Override
    public CompletableFuture<End> begin(Request request) {
        CompletableFuture<End> end = new CompletableFuture<>();
        begun.add(new Dialog(request, end));
        return end;
    }

    @Override
    public void cancel(String cookie) {
        cancelled.add(cookie);
    }

    /** The next dialog. */
    Dialog take() throws InterruptedException {
        return begun.take();
    }

    /** The cookie of the next dialog that is cancelled. */
    String takeCancelled() throws InterruptedException {
        return cancelled.take();
    }

    boolean wasAsked() {
        return !begun.isEmpty();
    }
}
