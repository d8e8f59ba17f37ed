package io.holdfast.authority.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.FolderWatch;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SessionsTest {
    private static final String SESSION =
            """
            # This is private data. Do not parse.
            UID=1000
            ACTIVE=0
            IS_DISPLAY=1
            STATE=online
            REMOTE=0
            LEADER_FD_SAVED=1
            USER=ada
            TYPE=wayland
            CLASS=user
            SCOPE=session-2.scope
            SEAT=seat0
            TTY="tty\\"2 \\\\"
            """;

    @TempDir private Path folder;
    private Sessions sessions;

    @BeforeEach
    void makeFolders() throws IOException {
        Files.createDirectory(folder.resolve("sessions"));
        Files.createDirectory(folder.resolve("users"));
        sessions = new Sessions(folder, CgroupPath.ROOT);
    }

    private void session(String id, String text) throws IOException {
        Files.writeString(folder.resolve("sessions").resolve(id), text);
    }

    private void user(long uid, String text) throws IOException {
        Files.writeString(folder.resolve("users").resolve(Long.toString(uid)), text);
    }

    @Test
    void aSessionIsRead() throws IOException {
        session("2", SESSION);
        user(1000, "NAME=ada\nSTATE=active\nDISPLAY=2\n");
        Session session = sessions.session("2").orElseThrow();
        assertThat(session)
                .isEqualTo(
                        new Session(
                                "2",
                                1000,
                                "ada",
                                Optional.of("seat0"),
                                "online",
                                "wayland",
                                false,
                                true,
                                false));
        assertThat(session.isLocal()).isTrue();
        assertThat(sessions.display(1000)).contains(session);
    }

    @Test
    void aSessionWithoutASeatIsNotLocal() throws IOException {
        session("c1", "UID=4000000000\nACTIVE=1\nREMOTE=1\nSEAT=\nUSER=\"a b\\$\"\n");
        Session session = sessions.session("c1").orElseThrow();
        assertThat(session.isLocal()).isFalse();
        assertThat(session.isRemote() && session.isForeground()).isTrue();
        assertThat(session.isUserActive()).isFalse();
        assertThat(session.uid()).isEqualTo(4_000_000_000L);
        assertThat(session.user()).isEqualTo("a b$");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "UID=",
                "UID=-1",
                "UID=4294967295",
                "UID=99999999999",
                "UID=0x1",
                "UID=01",
                "#UID=1",
                "ACTIVE=1",
                " UID=1",
                "=1"
            })
    void aSessionWithoutAnOwnerIsNone(String text) throws IOException {
        session("2", text + "\n");
        assertThat(sessions.session("2")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../users/1000", "2/", "/etc/passwd", "2 ", "é", "2\0"})
    void whatIsNoIdNamesNoFile(String id) throws IOException {
        user(1000, SESSION);
        session("2", SESSION);
        assertThat(sessions.session(id)).isEmpty();
        user(1001, "STATE=active\nDISPLAY=" + id.replace('\0', '\1') + "\n");
        assertThat(sessions.display(1001)).isEmpty();
    }

    @Test
    void aUserIsActiveOnlyIfItIsSaidSo() throws IOException {
        assertThat(sessions.isActive(1000)).isFalse();
        for (String state : List.of("online", "lingering", "closing", "opening", "", "ACTIVE")) {
            user(1000, "STATE=" + state + "\n");
            assertThat(sessions.isActive(1000)).isFalse();
        }
        user(1000, "STATE=active\n");
        assertThat(sessions.isActive(1000)).isTrue();
    }

    @Test
    void aFileMayBeAsLargeAsItsLimit() throws IOException {
        String comment = "#".repeat(Sessions.MAX_FILE_SIZE - SESSION.length() - 1) + "\n";
        session("2", SESSION + comment);
        assertThat(sessions.session("2")).isPresent();
        session("2", SESSION + "#" + comment);
        assertThat(sessions.session("2")).isEmpty();
    }

    static Stream<Gen> mutants() {
        return Gen.cases(100);
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void whateverAFileHasItIsASessionOrNone(Gen gen) throws IOException {
        session("2", gen.mutate(SESSION, "UID=\"\\\n#10 \0é"));
        Files.write(folder.resolve("users/1000"), gen.bytes(100));
        sessions.session("2")
                .ifPresent(session -> assertThat(session.uid()).isBetween(0L, 4294967294L));
    }

    @Test
    void withoutLogindThereAreNone() {
        Sessions none = new Sessions(folder.resolve("missing"), CgroupPath.ROOT);
        assertThat(none.session("2")).isEmpty();
        assertThat(none.display(0)).isEmpty();
        assertThat(none.isActive(0)).isFalse();
        try (PidFd self = PidFd.self()) {
            assertThat(none.own(self)).isEmpty();
            assertThat(none.of(self)).isEmpty();
        }
        assertThatCode(Sessions::ofMachine).doesNotThrowAnyException();
    }

    /** Makes a cgroup below another; the caller closes it and those on the way to it. */
    private static Cgroup place(Cgroup root, String path, List<Cgroup> made) {
        Cgroup at = root;
        for (String name : path.split("/")) {
            at = at.childNames().contains(name) ? at.child(name) : at.create(name);
            made.add(at);
        }
        return at;
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void theSessionOfAProcessIsThatOfItsCgroup() throws Exception {
        session("2", SESSION);
        session("7", SESSION.replace("1000", "1001"));
        user(1000, "STATE=active\nDISPLAY=2\n");
        List<Cgroup> made = new ArrayList<>();
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Child child = Spawn.of("sleep", "1000").start()) {
            Sessions below = new Sessions(folder, scratch.cgroup().path());
            try {
                PidFd process = child.pidFd();
                String slice = "user.slice/user-1000.slice/";
                record Case(String place, Optional<String> own, Optional<String> decisive) {}
                Optional<String> display = Optional.of("2");
                for (Case each :
                        List.of(
                                new Case(slice + "session-2.scope", display, display),
                                new Case(
                                        slice + "session-7.scope",
                                        Optional.of("7"),
                                        Optional.of("7")),
                                new Case(
                                        slice + "session-9.scope",
                                        Optional.empty(),
                                        Optional.empty()),
                                new Case(
                                        slice + "user@1000.service/app.slice/a.service",
                                        Optional.empty(),
                                        display),
                                new Case(
                                        "user.slice/user-1002.slice/user@1002.service",
                                        Optional.empty(),
                                        Optional.empty()),
                                new Case(
                                        "system.slice/session-2.scope.service",
                                        Optional.empty(),
                                        Optional.empty()))) {
                    place(scratch.cgroup(), each.place, made).attach(process);
                    assertThat(below.own(process).map(Session::id))
                            .as(each.place)
                            .isEqualTo(each.own);
                    assertThat(below.of(process).map(Session::id))
                            .as(each.place)
                            .isEqualTo(each.decisive);
                }
            } finally {
                assertThat(child.signal(Signal.KILL)).isTrue();
                var _ = child.await();
                made.forEach(Cgroup::close);
            }
        }
    }

    @Test
    void aProcessThatIsReapedHasNoAnswer() throws Exception {
        try (Child child = Spawn.of("true").start();
                PidFd process = child.pidFd().duplicate()) {
            var _ = child.await();
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> sessions.of(process))
                    .withMessageContaining("ESRCH");
        }
    }

    @Test
    void changesAreTold() throws Exception {
        Semaphore changes = new Semaphore(0);
        try (FolderWatch watch = sessions.watch(changes::release)) {
            assertThat(watch).isNotNull();
            Path fresh = folder.resolve("sessions/.#2abc");
            Files.writeString(fresh, SESSION);
            Files.move(fresh, folder.resolve("sessions/2"), StandardCopyOption.ATOMIC_MOVE);
            changes.acquire();
            user(1000, "STATE=active\n");
            changes.acquire();
            Files.delete(folder.resolve("sessions/2"));
            changes.acquire();
        }
    }
}
