package io.holdfast.authority;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/** An agent that the test controls. */
public final class TestAgent implements AgentChannel {
    private final BlockingQueue<Dialog> begun = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();

    /** Makes an agent without dialogs. */
    public TestAgent() {}

    /** A dialog that the test has to end. */
    public record Dialog(Request request, CompletableFuture<End> end) {
        public String cookie() {
            return request.cookie();
        }

        public void end(End how) {
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

    /** Takes the next dialog. */
    public Dialog take() throws InterruptedException {
        return begun.take();
    }

    /** Takes the cookie of the next dialog that is cancelled. */
    public String takeCancelled() throws InterruptedException {
        return cancelled.take();
    }

    public boolean wasAsked() {
        return !begun.isEmpty();
    }
}
