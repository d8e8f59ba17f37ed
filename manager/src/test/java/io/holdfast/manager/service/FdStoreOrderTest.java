package io.holdfast.manager.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An open file is found among many, whatever its kind. */
@Timeout(60)
class FdStoreOrderTest {
    private static final int MANY = 512;

    private static List<Fd> different() {
        List<Fd> all = new ArrayList<>();
        while (all.size() < MANY) {
            all.add(Fcntl.open("/dev/null", Fcntl.O_RDONLY)); // one file, opened repeatedly
            all.addAll(List.of(Unistd.pipe2(0)));
            for (UnixSocket end : UnixSocket.pair(SocketType.STREAM)) {
                all.add(end.fd().duplicate());
                end.close();
            }
        }
        return all;
    }

    @Test
    void eachOpenFileIsKeptOnceAndInTheOrderInWhichItCame() {
        OpenDescriptors before = OpenDescriptors.now();
        List<String> complaints = new ArrayList<>();
        try (EventLoop loop = EventLoop.open();
                FdStore store =
                        new FdStore(
                                loop,
                                Survival.none(),
                                UnitName.of("x.service"),
                                Fd::close,
                                () -> Complaints.on(loop, complaints::add))) {
            List<Fd> copies = new ArrayList<>();
            int number = 0;
            for (Fd fd : different()) {
                copies.add(fd.duplicate());
                store.add("n" + number++, fd, false, 2 * MANY);
            }
            assertThat(store.size()).isEqualTo(copies.size());
            for (Fd copy : copies) {
                store.add("again", copy, false, 2 * MANY);
                assertThat(copy.isOpen()).as("it stays the giver's").isTrue();
            }
            assertThat(store.size()).isEqualTo(copies.size());
            try (PassedDescriptors passed = store.passed()) {
                assertThat(passed.list().getFirst().name()).isEqualTo("n0");
                assertThat(passed.list().getLast().name()).isEqualTo("n" + (number - 1));
            }
            for (int i = 0; i < number; i += 2) {
                store.remove("n" + i);
            }
            for (Fd copy : copies) {
                store.add("back", copy, false, 2 * MANY);
                copy.close();
            }
            assertThat(store.size()).isEqualTo(number);
            store.remove("back");
            assertThat(store.size()).isEqualTo(number / 2);
        }
        assertThat(complaints).isEmpty();
        before.awaitSameNumber();
    }
}
