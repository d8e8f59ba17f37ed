package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CredentialQueriesTest {
    private final CredentialQueries queries = new CredentialQueries(1);
    private final List<String> order = new CopyOnWriteArrayList<>();

    /** Starts a thread whose query waits behind those before it, and which passes its turn on. */
    private Thread query(String user, String name) {
        int before = queries.waiting();
        Thread thread =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                queries.acquire(user);
                                order.add(name);
                                queries.release();
                            } catch (InterruptedException e) {
                                order.add(name + " interrupted");
                            }
                        });
        Await.until(() -> queries.waiting() > before);
        return thread;
    }

    @Test
    void usersTakeTurns() throws Exception {
        queries.acquire("attacker");
        for (int i = 0; i < 4; i++) {
            Thread _ = query("attacker", "attacker " + i);
        }
        Thread last = query("attacker", "attacker 4");
        Thread innocent = query("innocent", "innocent");
        Thread root = query("root", "root");
        queries.release();
        innocent.join();
        root.join();
        last.join();
        assertThat(order)
                .containsExactly(
                        "attacker 0",
                        "innocent",
                        "root",
                        "attacker 1",
                        "attacker 2",
                        "attacker 3",
                        "attacker 4");
    }

    @Test
    void anInterruptedQueryTakesNoTurn() throws Exception {
        queries.acquire("one");
        Thread interrupted = query("two", "first");
        Thread next = query("two", "second");
        interrupted.interrupt();
        interrupted.join();
        queries.release();
        next.join();
        queries.acquire("three"); // it is free again
        assertThat(order).containsExactly("first interrupted", "second");
        assertThat(queries.waiting()).isZero();
    }
}
