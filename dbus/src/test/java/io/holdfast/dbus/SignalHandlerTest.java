package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.testkit.PeerPair;
import io.holdfast.dbus.wire.Message;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The thread that runs a handler of signals survives all failures of the handler. */
@SuppressWarnings("try") // the subscription is only kept open
@SameOnEveryKernel
@Timeout(60)
class SignalHandlerTest {
    private static final List<String> FAILURES =
            List.of(
                    "lost another connection",
                    "assertion",
                    "linkage",
                    "overflow",
                    "undeclared",
                    "interrupted");

    private final BlockingQueue<String> handled = new LinkedBlockingQueue<>();

    @Test
    void theNextSignalIsHandledWhateverTheHandlerThrows() throws Exception {
        PeerPair lost = PeerPair.connect();
        lost.close();
        try (PeerPair pair = PeerPair.connect();
                Subscription subscription =
                        pair.client()
                                .subscribe("member='S'", signal -> handle(signal, lost.client()))) {
            for (String failure : FAILURES) {
                pair.server().offerSignal("", "/p", "org.example.Test", "S", "s", failure);
                assertThat(handled.take()).isEqualTo(failure);
            }
            pair.server().offerSignal("", "/p", "org.example.Test", "S", "s", "last");
            assertThat(handled.take()).isEqualTo("last");
        }
    }

    private void handle(Message signal, BusConnection lost) {
        String failure = (String) signal.values().getFirst();
        handled.add(failure);
        switch (failure) {
            case "lost another connection" -> call(lost);
            case "assertion" -> throw new AssertionError(failure);
            case "linkage" -> throw new NoClassDefFoundError(failure);
            case "overflow" -> throw new StackOverflowError(failure);
            case "undeclared" -> throwUnchecked(new IOException(failure));
            case "interrupted" -> Thread.currentThread().interrupt();
            default -> {}
        }
    }

    /** Throws a checked exception that its caller does not declare, as other languages do. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void throwUnchecked(Throwable failure) throws E {
        throw (E) failure;
    }

    @Test
    void anInterruptWhileItWaitsForTheNextSignalDoesNotEndIt() throws Exception {
        BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
        try (PeerPair pair = PeerPair.connect()) {
            Subscription subscription =
                    pair.client().subscribe("member='S'", _ -> threads.add(Thread.currentThread()));
            pair.server().offerSignal("", "/p", "org.example.Test", "S", "");
            Thread thread = threads.take();
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait(); // until it waits for the next signal
            }
            thread.interrupt();
            pair.server().offerSignal("", "/p", "org.example.Test", "S", "");
            assertThat(threads.take()).isEqualTo(thread);
            subscription.close();
            thread.join();
        }
    }

    @Test
    void aSignalOnAnExecutorIsHandledBeforeWhatALaterCallExecutesThere() throws Exception {
        List<String> order = new ArrayList<>(); // used on the executor
        List<String> expected = new ArrayList<>();
        try (ExecutorService executor = Executors.newSingleThreadExecutor();
                PeerPair pair = PeerPair.connect()) {
            BusInterface object =
                    BusInterface.named("org.example.Test")
                            .asyncMethod(
                                    "M",
                                    "s",
                                    "",
                                    (call, reply) -> {
                                        executor.execute(() -> order.add(call.string(0)));
                                        reply.complete(List.of());
                                    })
                            .build();
            var _ = pair.client().export("/p", object);
            Subscription _ =
                    pair.client()
                            .subscribe(
                                    "member='S'",
                                    executor,
                                    signal -> order.add((String) signal.values().getFirst()));
            for (int i = 0; i < 500; i++) {
                pair.server().offerSignal("", "/p", "org.example.Test", "S", "s", "signal " + i);
                var _ = pair.server().object("/p").call("org.example.Test", "M", "s", "call " + i);
                expected.addAll(List.of("signal " + i, "call " + i));
            }
        }
        assertThat(order).isEqualTo(expected);
    }

    private static void call(BusConnection lost) {
        try {
            var _ = lost.object("/p").call("org.example.Test", "M");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
