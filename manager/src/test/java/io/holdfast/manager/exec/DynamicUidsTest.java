package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.testkit.LockHog;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DynamicUidsTest {
    private static final String PASSWD = "taken:x:61002:61002::/:/bin/sh\n";
    private static final String GROUP = "taken:x:61003:\n";

    @TempDir private Path folder;

    private DynamicUids uids(long first, long last) throws IOException {
        Path passwd = Files.writeString(folder.resolve("passwd"), PASSWD);
        Path group = Files.writeString(folder.resolve("group"), GROUP);
        Accounts accounts = new Accounts(passwd, group, "/bin/false", Duration.ofSeconds(30));
        return new DynamicUids(locks(), accounts, first, last);
    }

    private Path locks() {
        return folder.resolve("locks");
    }

    @Test
    void aNameHasTheSameNumberEachTime() throws Exception {
        DynamicUids one = uids(61184, 65519);
        long before;
        try (DynamicUids.Uid uid = one.take("some-service", List.of())) {
            before = uid.number();
            assertThat(before).isBetween(61184L, 65519L);
            assertThat(locks().resolve(String.valueOf(before))).hasContent("some-service");
        }
        try (DynamicUids.Uid uid = uids(61184, 65519).take("some-service", List.of())) {
            assertThat(uid.number()).isEqualTo(before);
        }
        assertThat(locks()).isEmptyDirectory();
    }

    @Test
    void aPreferredNumberIsTakenFirst() throws Exception {
        DynamicUids uids = uids(61000, 61010);
        try (DynamicUids.Uid uid = uids.take("x", List.of(0L, 61007L))) {
            assertThat(uid.number()).isEqualTo(61007);
        }
    }

    @Test
    void whoSharesANameSharesItsNumberUntilTheLastHasGone() throws Exception {
        DynamicUids uids = uids(61000, 61001);
        DynamicUids.Uid first = uids.take("x", List.of());
        DynamicUids.Uid second = uids.take("x", List.of());
        assertThat(second.number()).isEqualTo(first.number());
        first.close();
        first.close();
        assertThat(locks().resolve(String.valueOf(second.number()))).exists();
        second.close();
        assertThat(locks()).isEmptyDirectory();
    }

    @Test
    void numbersOfUsersAndGroupsAreNotGivenOut() throws Exception {
        DynamicUids uids = uids(61001, 61004);
        try (DynamicUids.Uid one = uids.take("one", List.of(61002L, 61003L));
                DynamicUids.Uid two = uids.take("two", List.of())) {
            assertThat(List.of(one.number(), two.number()))
                    .containsExactlyInAnyOrder(61001L, 61004L);
            assertThatExceptionOfType(SetupException.class)
                    .isThrownBy(() -> uids.take("three", List.of()))
                    .withMessageContaining("all from 61001 to 61004 are in use")
                    .matches(e -> e.step() == SetupException.Step.USER);
        }
        assertThat(locks()).isEmptyDirectory();
    }

    @Test
    void whoCannotBeAskedForAccountsGivesOutNothing() throws Exception {
        Accounts accounts =
                new Accounts(
                        folder.resolve("none"),
                        folder.resolve("none"),
                        "/no/such/getent",
                        Duration.ofSeconds(30));
        DynamicUids uids = new DynamicUids(locks(), accounts, 61000, 61009);
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> uids.take("x", List.of()))
                .withMessageContaining("/no/such/getent");
        assertThat(locks()).isEmptyDirectory();
    }

    @Test
    void theLockOfAManagerThatWasKilledIsNoLock() throws Exception {
        Files.createDirectories(locks());
        Path stale = Files.writeString(locks().resolve("61000"), "somebody");
        try (DynamicUids.Uid uid = uids(61000, 61000).take("x", List.of())) {
            assertThat(uid.number()).isEqualTo(61000);
        }
        assertThat(stale).doesNotExist();
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "python3"})
    void whoKeepsTheLockOfANumberKeepsItFromNobody() throws Exception {
        Files.setAttribute(folder, "unix:mode", 0755);
        Files.createDirectories(locks());
        Path older = Files.writeString(locks().resolve("61000"), "somebody");
        Files.setAttribute(locks(), "unix:mode", 0755);
        Files.setAttribute(older, "unix:mode", 0644);
        try (LockHog hog = LockHog.of(older, locks())) {
            assertThat(hog.taken()).hasSize(2);
            try (DynamicUids.Uid uid = uids(61000, 61000).take("x", List.of());
                    LockHog again = LockHog.of(older)) {
                assertThat(uid.number()).isEqualTo(61000);
                assertThat(again.taken()).isEmpty();
            }
        }
    }

    @Test
    void aFolderThatOthersMayWriteGivesOutNothing() throws Exception {
        Files.createDirectories(locks());
        Files.setAttribute(locks(), "unix:mode", 0777);
        DynamicUids uids = uids(61000, 61003);
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> uids.take("x", List.of()))
                .withMessageContaining("other users may write to it");
    }

    @Test
    void theFolderGoesWhenNoNumberIsInUseAndIsMadeAgain() throws Exception {
        DynamicUids uids = uids(61000, 61003);
        try (DynamicUids.Uid uid = uids.take("x", List.of())) {
            uids.removeFolder();
            assertThat(locks().resolve(Long.toString(uid.number()))).exists();
        }
        uids.removeFolder();
        assertThat(locks()).doesNotExist();
        try (DynamicUids.Uid uid = uids.take("x", List.of())) {
            assertThat(locks().resolve(Long.toString(uid.number()))).exists();
        }
    }

    @Test
    void noTwoManagersGiveOutTheSameNumber() throws Exception {
        Set<Long> inUse = ConcurrentHashMap.newKeySet();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Boolean>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                DynamicUids manager = uids(61010, 61015);
                String name = "unit" + i;
                Callable<Boolean> life =
                        () -> {
                            boolean alone = true;
                            for (int round = 0; round < 50; round++) {
                                try (DynamicUids.Uid uid = manager.take(name, List.of(61010L))) {
                                    alone &= inUse.add(uid.number());
                                    inUse.remove(uid.number());
                                }
                            }
                            return alone;
                        };
                results.add(threads.submit(life));
            }
            for (Future<Boolean> result : results) {
                assertThat(result.get()).isTrue();
            }
        }
        assertThat(locks()).isEmptyDirectory();
    }
}
