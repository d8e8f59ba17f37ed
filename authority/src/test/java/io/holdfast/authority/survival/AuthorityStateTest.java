package io.holdfast.authority.survival;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what an authority restores of the previous one, and what it refuses. */
@Timeout(60)
@Needs(root = true)
class AuthorityStateTest {
    private static final long USER = 20001;

    @TempDir private Path folder;
    private OpenDescriptors before;
    private ForeignParent parent;
    private int process;
    private AuthorityState state;
    private Sessions sessions;

    @BeforeEach
    void open() throws IOException {
        before = OpenDescriptors.now();
        Path logins = Files.createDirectories(folder.resolve("logins/sessions"));
        Files.writeString(logins.resolve("7"), "UID=" + USER + "\nSTATE=active\n");
        sessions = new Sessions(folder.resolve("logins"), CgroupPath.ROOT);
        parent = ForeignParent.start();
        process = parent.child("subject", "uid=" + USER);
        state = AuthorityState.open(folder.resolve("run"));
        assertThat(recover()).isEqualTo(Recovered.NOTHING);
    }

    @AfterEach
    void close() {
        state.close();
        parent.close();
        before.awaitSameNumber();
    }

    private Path record(String name) {
        return folder.resolve("run/state").resolve(name);
    }

    private Recovered recover() {
        return state.recover(sessions, AuthorityState.now());
    }

    /** Recovers as after a kill, when no record was removed. */
    private Recovered recoverAfterKill() {
        state.close();
        state = AuthorityState.open(folder.resolve("run"));
        return recover();
    }

    private static void release(Recovered recovered) {
        recovered
                .authorizations()
                .forEach(each -> {
                    each.subject().close();
                    each.scope().close();
                });
    }

    private String write(int pid, Duration life) {
        String id = state.nextId();
        try (PidFd held = PidFd.open(pid)) {
            state.write(
                    new AuthorizationRecord(
                            id,
                            "a.keep",
                            new Subject.UnixProcess(
                                    held, USER, Origin.BUS, Optional.of(List.of(USER, 7L))),
                            new Subject.UnixSession("7", USER),
                            Instant.ofEpochMilli(1000),
                            Instant.ofEpochMilli(2000),
                            AuthorityState.now() + life.toNanos(),
                            OptionalLong.of(0)));
        }
        return id;
    }

    private String write() {
        return write(process, Duration.ofMinutes(5));
    }

    private void assertDropped(String reason) {
        Recovered recovered = recoverAfterKill();
        assertThat(recovered.authorizations()).isEmpty();
        assertThat(recovered.dropped()).singleElement().asString().contains(reason);
        assertThat(recoverAfterKill().dropped()).as("said once").isEmpty();
    }

    @Test
    void whatIsWrittenDownIsHeldAgain() {
        String id = write();
        Recovered recovered = recoverAfterKill();
        assertThat(recovered.dropped()).isEmpty();
        assertThat(recovered.authorizations())
                .singleElement()
                .satisfies(each -> {
                    assertThat(each.id()).isEqualTo(id);
                    assertThat(each.action()).isEqualTo("a.keep");
                    assertThat(each.subject().pidFd().pid()).isEqualTo(process);
                    assertThat(each.subject().uid()).isEqualTo(USER);
                    assertThat(each.subject().origin()).isEqualTo(Origin.BUS);
                    assertThat(each.subject().groups()).hasValue(List.of(USER, 7L));
                    assertThat(each.scope()).isEqualTo(new Subject.UnixSession("7", USER));
                    assertThat(each.administrator()).hasValue(0);
                    assertThat(each.expires()).isEqualTo(Instant.ofEpochMilli(2000));
                });
        release(recovered);
        state.remove(id);
        assertThat(recoverAfterKill()).isEqualTo(Recovered.NOTHING);
    }

    @Test
    void aScopeMayBeAProcess() {
        String id = state.nextId();
        try (PidFd held = PidFd.open(process)) {
            Subject.UnixProcess subject =
                    Subject.UnixProcess.claimed(held, USER, Origin.DESCRIPTOR);
            state.write(
                    new AuthorizationRecord(
                            id,
                            "a.keep",
                            subject,
                            subject,
                            Instant.EPOCH,
                            Instant.EPOCH,
                            Long.MAX_VALUE,
                            OptionalLong.empty()));
        }
        Recovered recovered = recoverAfterKill();
        assertThat(recovered.authorizations())
                .singleElement()
                .satisfies(each -> {
                    assertThat(each.scope().process().orElseThrow().pidFd())
                            .isEqualTo(each.subject().pidFd());
                    assertThat(each.subject().groups()).isEmpty();
                    assertThat(each.administrator()).isEmpty();
                });
        release(recovered);
    }

    @Test
    void aRecordEndsWithItsProcess() {
        String _ = write();
        assertThat(parent.kill(process, Signal.KILL)).isTrue();
        assertThat(parent.reap(process)).isNotNull();
        assertDropped("has ended");
    }

    @Test
    void aZombieHasEnded() {
        String _ = write();
        try (PidFd held = PidFd.open(process)) {
            assertThat(held.signal(Signal.KILL)).isTrue();
            Await.until(() -> held.state() == PidFd.State.EXITED);
        }
        assertDropped("has ended");
    }

    @Test
    void whoeverHasTheNumberNowIsNotMeant() throws IOException {
        String id = write();
        String text = Files.readString(record(id));
        Files.writeString(record(id), text.replaceAll("(subject.process \\d+:)\\d+", "$1" + 4711));
        assertDropped("has ended");
    }

    @Test
    void aNumberWithoutAnIdNamesNobody() throws IOException {
        String id = write();
        String text = Files.readString(record(id));
        Files.writeString(record(id), text.replaceAll("(subject.process \\d+):\\d+", "$1"));
        assertDropped("a process without its id");
    }

    @Test
    void aMissingUserIsNotRoot() throws IOException {
        String id = write();
        String text = Files.readString(record(id));
        Files.writeString(record(id), text.replaceAll("subject.uid \\d+\n", ""));
        assertDropped("it has no subject.uid");
    }

    @Test
    void whatHasExpiredMeanwhileIsNotRestored() {
        String _ = write(process, Duration.ZERO);
        assertDropped("it has expired");
    }

    @Test
    void aRecordEndsWithItsSession() throws IOException {
        String _ = write();
        Files.writeString(folder.resolve("logins/sessions/7"), "UID=" + USER + "\nSTATE=closing\n");
        assertDropped("session 7 has ended");
        String _ = write();
        Files.writeString(folder.resolve("logins/sessions/7"), "UID=1\nSTATE=active\n");
        assertDropped("session 7 has ended");
    }

    @Test
    void whatDoesNotCountIsRefusedByItsNameAndTheRestGoesOn() throws IOException {
        String good = write();
        String text = Files.readString(record(good));
        Files.writeString(record("tmpauthz101"), text.substring(0, text.length() / 2));
        Files.writeString(
                record("tmpauthz102"), text.replace("holdfast-state 1", "holdfast-state 2"));
        Files.writeString(
                record("tmpauthz103"), text.replaceFirst("boot [^\n]+", "boot of another time"));
        Files.writeString(record("tmpauthz104"), text);
        Files.setAttribute(record("tmpauthz104"), "unix:uid", 65534);
        Files.writeString(record("other"), text);
        Files.createSymbolicLink(record("tmpauthz105"), record(good));

        Recovered recovered = recoverAfterKill();
        assertThat(recovered.authorizations())
                .singleElement()
                .satisfies(each -> assertThat(each.id()).isEqualTo(good));
        assertThat(recovered.dropped())
                .anyMatch(line -> line.startsWith("tmpauthz101: it is cut off"))
                .anyMatch(line -> line.startsWith("tmpauthz102: version 2 is not known"))
                .anyMatch(line -> line.startsWith("tmpauthz103: it is of another boot"))
                .anyMatch(line -> line.startsWith("tmpauthz104: user 65534 wrote it"))
                .anyMatch(line -> line.startsWith("tmpauthz105: "))
                .anyMatch(line -> line.startsWith("other: not a record of ours"))
                .hasSize(6);
        release(recovered);
        assertThat(Files.exists(record(good))).isTrue();
    }

    @Test
    void idsAreNeverGivenTwice() throws IOException {
        String first = state.nextId();
        String second = state.nextId();
        assertThat(List.of(first, second)).containsExactly("tmpauthz1", "tmpauthz2");
        release(recoverAfterKill());
        String third = state.nextId();
        assertThat(Long.parseLong(third.substring("tmpauthz".length()))).isGreaterThan(2);

        Files.writeString(record("ids"), "garbage");
        Recovered recovered = recoverAfterKill();
        assertThat(recovered.dropped()).singleElement().asString().startsWith("ids: ");
        assertThat(Long.parseLong(state.nextId().substring("tmpauthz".length())))
                .isGreaterThan(Long.parseLong(third.substring("tmpauthz".length())));
    }

    @Test
    void anAgentIsItsNameOnItsBusAndItsProcess() {
        String name = state.agentRecord();
        try (PidFd held = PidFd.open(process);
                PidFd other = PidFd.self()) {
            state.write(
                    AgentRecord.of(
                            name,
                            new AgentAddress("bus-id", ":1.7"),
                            held,
                            new Subject.UnixSession("7", USER),
                            "/agent",
                            "de_DE",
                            true));
            Recovered recovered = recoverAfterKill();
            assertThat(recovered.agents())
                    .singleElement()
                    .satisfies(agent -> {
                        assertThat(agent.record()).isEqualTo(name);
                        assertThat(agent.address()).isEqualTo(new AgentAddress("bus-id", ":1.7"));
                        assertThat(agent.isOf(held)).isTrue();
                        assertThat(agent.isOf(other)).isFalse();
                        assertThat(agent.path()).isEqualTo("/agent");
                        assertThat(agent.locale()).isEqualTo("de_DE");
                        assertThat(agent.fallback()).isTrue();
                        assertThat(agent.restoreScope(sessions))
                                .isEqualTo(new Subject.UnixSession("7", USER));
                        assertThatIllegalArgumentException()
                                .isThrownBy(() ->
                                        agent.restoreScope(new Sessions(folder, CgroupPath.ROOT)))
                                .withMessageContaining("session 7 has ended");
                    });
        }
    }

    @Test
    void oneFolderIsForOneAuthority() {
        assertThatIllegalStateException()
                .isThrownBy(() -> AuthorityState.open(folder.resolve("run")))
                .withMessageContaining("another authority uses");
    }

    @Test
    void aFolderThatOthersCanChangeIsRefused() throws IOException {
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> AuthorityState.open(open))
                .withMessageContaining("other users may write to it");
    }
}
