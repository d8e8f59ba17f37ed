package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.subject.Subject;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.DBusException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BusPeersTest {
    private static final int MANY = 20;

    private final OpenDescriptors before = OpenDescriptors.now();
    private final BusPeers peers = new BusPeers();
    private final AtomicInteger queries = new AtomicInteger();
    private final Semaphore answers = new Semaphore(0);

    @AfterEach
    void close() {
        peers.close();
        before.awaitSameNumber();
    }

    /** Answers a query when the test permits it. */
    private Peer query(String name) throws InterruptedException {
        queries.incrementAndGet();
        answers.acquire();
        if (name.equals(":gone")) {
            throw new DBusException(DBusException.NAME_HAS_NO_OWNER, name);
        }
        PidFd self = PidFd.self();
        return new Peer.Held(self, self.pid(), 7, 7, List.of(), Optional.empty());
    }

    private CompletableFuture<Long> uid(String name) {
        CompletableFuture<Long> uid = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try (Subject.BusName subject = peers.subject(name, this::query)) {
                        assertThat(subject.process()).isPresent();
                        uid.complete(subject.uid());
                    } catch (Throwable e) {
                        uid.completeExceptionally(e);
                    }
                });
        return uid;
    }

    private List<CompletableFuture<Long>> many(String name) {
        List<CompletableFuture<Long>> many = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            many.add(uid(name));
        }
        Await.until(() -> peers.waiting(name) == MANY);
        return many;
    }

    @Test
    void manyCallsOfOneConnectionAskTheBusOnce() {
        List<CompletableFuture<Long>> many = many(":1.1");
        answers.release();
        many.forEach(each -> assertThat(each.join()).isEqualTo(7));
        assertThat(queries).hasValue(1);
        assertThat(peers.known()).isEqualTo(1);
    }

    @Test
    void aConnectionIsCachedWhileOthersLeave() {
        CompletableFuture<Long> uid = uid(":1.1");
        Await.until(() -> queries.get() == 1);
        peers.forget(":1.2");
        answers.release();
        assertThat(uid.join()).isEqualTo(7);
        assertThat(peers.known()).isEqualTo(1);
    }

    @Test
    void aConnectionThatLeavesDuringItsLookupIsNotCached() {
        List<CompletableFuture<Long>> many = many(":1.1");
        peers.forget(":1.1");
        answers.release();
        many.forEach(each -> assertThat(each.join()).isEqualTo(7));
        assertThat(peers.known()).isZero();
    }

    @Test
    void aNameWithoutOwnerIsRefusedToAll() {
        List<CompletableFuture<Long>> many = many(":gone");
        answers.release();
        many.forEach(each ->
                assertThatThrownBy(each::join)
                        .hasCauseInstanceOf(AuthorityException.class)
                        .hasMessageContaining(":gone"));
        assertThat(queries).hasValue(1);
        assertThat(peers.known()).isZero();
    }
}
