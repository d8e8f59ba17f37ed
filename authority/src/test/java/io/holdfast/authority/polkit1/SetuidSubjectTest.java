package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Struct;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tests processes whose effective user differs from their real one, or changes during the decision
 * (CVE-2011-1485, CVE-2013-4288).
 */
class SetuidSubjectTest {
    @Nested
    class OnHoldfastBus extends Cases {
        @Override
        TestBus start(Path where) {
            return holdfastBus(where);
        }
    }

    @Nested
    @Needs(programs = "dbus-daemon")
    class OnDbusDaemon extends Cases {
        @Override
        TestBus start(Path where) throws Exception {
            return DbusDaemon.start(where);
        }
    }

    /** How a setuid program uses its privileges. */
    enum Program {
        /** Real user daemon, effective user root. */
        HALF("%1$s/sleep,1000"),
        /** All users root. */
        WHOLE("%1$s/setpriv,--reuid=0,--regid=0,--clear-groups,sleep,1000");

        private final String command;

        Program(String command) {
            this.command = command;
        }
    }

    /** The caller, and how it identifies the process. */
    enum Asking {
        ITS_USER,
        ROOT_BY_NUMBER,
        ROOT_BY_DESCRIPTOR
    }

    abstract static class Cases extends AuthorityBusSetUp {
        /** Executes a program when the test has opened its pipe. */
        private static final String SUBJECT_SCRIPT =
                """
                open my $ready, '>&=', $ENV{READY_FD} or die;
                syswrite $ready, "ok ready\n";
                close $ready;
                open my $go, '<', shift @ARGV or die;
                my $line = <$go>;
                exec {$ARGV[0]} @ARGV or die;
                """;

        /** Writes a rule that allows root everything, and other users nothing. */
        private void rootsRule(String before) {
            folders.action("a.roots", "no");
            folders.rules(
                    "10.rules",
                    """
                    polkit.addRule(function(action, subject) {
                        if (action.id == "a.roots") {
                            %s
                            return subject.user == "root" || subject.uid === 0
                                || subject.isInGroup("root") ? "yes" : "no";
                        }
                    });
                    """
                            .formatted(before));
            engine.reload();
        }

        @Test
        void whoHasRootsPowersOnlyIsWhoHeReallyIs() throws Exception {
            rootsRule("");
            int half = parent.child("half", "uid=" + KNOWN, "euid=0");
            try (BusConnection user = connectAs(KNOWN);
                    PidFd held = PidFd.open(half)) {
                assertThat(held.info().credentials().orElseThrow().effectiveUid()).isZero();
                RemoteObject asUser = user.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
                Struct subject = numbered(half, KNOWN);
                for (RemoteObject each : new RemoteObject[] {asUser, authority}) {
                    assertThat(check(each, subject, "a.yes", 0).get(0)).isEqualTo(true);
                    assertThat(check(each, subject, "a.no", 0).get(0)).isEqualTo(false);
                    assertThat(check(each, subject, "a.roots", 0).get(0)).isEqualTo(false);
                    assertThat(check(each, subject, "a.roots", 2).get(0)).isEqualTo(false);
                }
                Struct claimed = subject("unix-process", "pidfd", "h", held.fd(), "uid", "i", 0);
                for (Struct each : new Struct[] {numbered(half, 0), claimed}) {
                    assertNotAuthorized(() -> check(asUser, each, "a.yes", 0));
                    assertNotAuthorized(() -> check(asUser, each, "a.yes", 2));
                    assertFailed(() -> register(asUser, each));
                }
            }
        }

        @ParameterizedTest
        @EnumSource
        void whoBecomesRootWhileHeIsDecidedAboutGainsNothing(Program program) throws Exception {
            Path gate = pipe("gate");
            rootsRule("polkit.spawn([\"cat\", \"%s\"]);".formatted(gate));
            for (Asking each : Asking.values()) {
                assertThat(changing(program, each, gate).get(0)).as("%s", each).isEqualTo(false);
            }
        }

        /** Checks a process that changes its user while the rule waits. */
        private Struct changing(Program program, Asking asking, Path gate) throws Exception {
            Path go = pipe("go-" + asking);
            int pid =
                    parent.program(
                                    "changing",
                                    "uid=" + KNOWN,
                                    "exec=/usr/bin/perl,"
                                            + script()
                                            + ","
                                            + go
                                            + ","
                                            + program.command.formatted(setuidPrograms()))
                            .pid();
            try (BusConnection user = connectAs(KNOWN);
                    PidFd held = PidFd.open(pid)) {
                RemoteObject asUser = user.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
                CompletableFuture<Struct> answer = new CompletableFuture<>();
                Struct byNumber = numbered(pid, KNOWN);
                Struct byDescriptor =
                        subject("unix-process", "pidfd", "h", held.fd(), "uid", "i", KNOWN);
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                answer.complete(
                                        switch (asking) {
                                            case ITS_USER -> check(asUser, byNumber, "a.roots", 0);
                                            case ROOT_BY_NUMBER -> check(byNumber, "a.roots", 0);
                                            case ROOT_BY_DESCRIPTOR ->
                                                    check(byDescriptor, "a.roots", 0);
                                        });
                            } catch (Exception e) {
                                answer.completeExceptionally(e);
                            }
                        });
                try (OutputStream _ = Files.newOutputStream(gate)) { // the rule has begun
                    Files.newOutputStream(go).close();
                    Await.until(() -> held.info().credentials().orElseThrow().effectiveUid() == 0);
                    assertThat(answer).isNotDone();
                }
                if (program == Program.WHOLE) {
                    Await.until(() -> held.info().credentials().orElseThrow().realUid() == 0);
                    assertNotAuthorized(() -> check(asUser, byNumber, "a.yes", 0));
                }
                return answer.join();
            }
        }

        private Path script() throws Exception {
            return Files.writeString(folder.resolve("changing.pl"), SUBJECT_SCRIPT);
        }

        private Path pipe(String name) throws Exception {
            Path pipe = folder.resolve(name);
            int code = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
            assertThat(code).isZero();
            return pipe;
        }

        /** Makes setuid programs for user daemon alone, whose gid equals its uid. */
        private Path setuidPrograms() throws Exception {
            Path copies = Files.createDirectories(folder.resolve("setuid"));
            for (String name : new String[] {"sleep", "setpriv"}) {
                Path copy = copies.resolve(name);
                if (!Files.exists(copy)) {
                    var _ = Files.copy(Path.of("/usr/bin", name), copy);
                    Files.setAttribute(copy, "unix:gid", KNOWN);
                    Files.setAttribute(copy, "unix:mode", 04750);
                }
            }
            return copies;
        }
    }
}
