package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.AuthorityMetrics;
import io.holdfast.authority.Caller;
import io.holdfast.authority.client.Authority;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * Tests how a helper identifies the agent that it has talked to: by a descriptor, or as polkit 127
 * does, by numbers and a descriptor that is not sent.
 */
class HelperResponseTest {
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

    abstract static class Cases extends AuthorityBusSetUp {
        private static final Logger AUDIT = Logger.getLogger("io.holdfast.authority.audit");

        /** The descriptor of polkit 127's helper: its number, without the descriptor itself. */
        private static final Handle NUMBER_ONLY = new Handle(5);

        private @Nullable Level before;
        private final List<String> lines = new CopyOnWriteArrayList<>();
        private final Handler handler =
                new Handler() {
                    @Override
                    public void publish(LogRecord line) {
                        lines.add(line.getMessage());
                    }

                    @Override
                    public void flush() {}

                    @Override
                    public void close() {}
                };

        @BeforeEach
        void listen() {
            before = AUDIT.getLevel();
            AUDIT.setLevel(Level.INFO);
            AUDIT.addHandler(handler);
        }

        @AfterEach
        void endListening() {
            AUDIT.removeHandler(handler);
            AUDIT.setLevel(before);
        }

        /** Waits for the audit line of the decision. */
        private String auditLine() {
            Await.until(() -> !lines.isEmpty());
            return lines.getFirst();
        }

        private static Struct numbered(PidFd agent, long ticks) {
            return subject(
                    "unix-process",
                    "pidfd",
                    "h",
                    NUMBER_ONLY,
                    "pid",
                    "u",
                    agent.pid(),
                    "start-time",
                    "t",
                    ticks,
                    "uid",
                    "i",
                    (int) USER);
        }

        private void assertRefused(Dialog dialog, Struct agent, String why) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> respond(dialog.cookie(), agent))
                    .withMessageContaining(why);
        }

        @Test
        void theOriginalsIsTakenForTheAgentThatHasTheNumberAndMarkedAsUnsafe() throws Exception {
            try (Dialog dialog = new Dialog();
                    PidFd agent = PidFd.self()) {
                respond(dialog.cookie(), numbered(agent, agent.proc().startTicks()));
                assertThat(dialog.end().get(0)).isEqualTo(true);
            }
            assertThat(auditLine())
                    .startsWith("a.keep: yes for ")
                    .endsWith(
                            "reported by a helper that identified its agent"
                                    + " from a number that was passed, unsafe");
        }

        @Test
        void anAgentThatIsPassedAsADescriptorIsNotMarked() throws Exception {
            try (Dialog dialog = new Dialog();
                    PidFd agent = PidFd.self()) {
                respond(dialog.cookie(), pidfd(agent.fd()));
                assertThat(dialog.end().get(0)).isEqualTo(true);
            }
            assertThat(auditLine())
                    .endsWith("that identified its agent by a pidfd that was passed");
        }

        private static void beginAttempt(
                BusConnection helper, Object cookie, Struct identity, Struct agent)
                throws InterruptedException {
            var _ =
                    helper.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                            .call(
                                    PolicyKit1.HELPER_INTERFACE,
                                    PolicyKit1.BEGIN_ATTEMPT,
                                    "s" + SUBJECT + SUBJECT,
                                    cookie,
                                    identity,
                                    agent);
        }

        private static void assertNoAttempt(
                BusConnection helper, Object cookie, Struct identity, Struct agent, String why) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> beginAttempt(helper, cookie, identity, agent))
                    .withMessageContaining(why);
        }

        @Test
        void anAttemptBeginsOnlyForACookieThatItsAgentMayAnswer() throws Exception {
            try (Dialog dialog = new Dialog();
                    PidFd agent = PidFd.self();
                    PidFd stranger = PidFd.open(process)) {
                Struct root = subject("unix-user", "uid", "u", 0);
                Struct other =
                        subject(
                                "unix-process",
                                "pidfd",
                                "h",
                                agent.fd(),
                                "uid",
                                "i",
                                (int) USER + 1);
                beginAttempt(client, dialog.cookie(), user(), pidfd(agent.fd()));
                assertNoAttempt(client, "1-a-2-b", user(), pidfd(agent.fd()), "No session");
                assertNoAttempt(
                        client, dialog.cookie(), user(), pidfd(stranger.fd()), "No session");
                assertNoAttempt(client, dialog.cookie(), user(), other, "No session");
                assertNoAttempt(client, dialog.cookie(), root, pidfd(agent.fd()), "not offered");
                assertThat(dialog.end().get(0)).as("an attempt alone").isEqualTo(false);
            }
        }

        @Test
        void aUsersAttemptsAreLimitedUntilTheirHelpersHaveGone() throws Exception {
            try (Dialog dialog = new Dialog();
                    PidFd agent = PidFd.self()) {
                List<BusConnection> helpers = new ArrayList<>();
                try {
                    for (int i = 0; i < AuthorityMetrics.Account.ATTEMPTS.limit(); i++) {
                        helpers.add(BusConnection.connect(bus.address()));
                        beginAttempt(helpers.getLast(), dialog.cookie(), user(), pidfd(agent.fd()));
                    }
                    assertNoAttempt(
                            client,
                            dialog.cookie(),
                            user(),
                            pidfd(agent.fd()),
                            "user "
                                    + USER
                                    + " has 4 attempts to authenticate under way, which is"
                                    + " the limit; raise it with"
                                    + " -Dio.holdfast.authority.attemptsPerUser=NUMBER");
                    helpers.removeLast().close();
                    Await.until(() -> {
                        try {
                            beginAttempt(client, dialog.cookie(), user(), pidfd(agent.fd()));
                            return true;
                        } catch (DBusException e) {
                            return false;
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    });
                } finally {
                    helpers.forEach(BusConnection::close);
                }
            }
        }

        @Test
        void theNumberOfAnotherOrOfAnotherTimeAuthorizesNothing() throws Exception {
            int recycled = parent.child("stranger");
            try (Dialog dialog = new Dialog();
                    PidFd agent = PidFd.self();
                    PidFd subject = PidFd.open(process);
                    PidFd former = PidFd.open(recycled)) {
                long ticks = agent.proc().startTicks();
                long formerTicks = former.proc().startTicks();
                Struct ofFormer = numbered(former, formerTicks);
                assertRefused(dialog, numbered(subject, subject.proc().startTicks()), "No session");
                assertRefused(dialog, numbered(subject, ticks + 1), "has been replaced");
                assertRefused(dialog, numbered(agent, ticks + 1), "has been replaced");
                assertRefused(dialog, numbered(agent, ticks - 1), "has been replaced");
                assertRefused(dialog, ofFormer, "No session");
                assertThat(parent.kill(recycled, io.holdfast.core.Signal.KILL)).isTrue();
                var _ = parent.reap(recycled);
                assertFailed(() -> respond(dialog.cookie(), ofFormer));
                Struct incomplete =
                        subject("unix-process", "pidfd", "h", NUMBER_ONLY, "uid", "i", (int) USER);
                assertRefused(dialog, incomplete, "needs a pid");
                Struct answer = dialog.end();
                assertThat(answer.get(0)).isEqualTo(false);
                assertThat(answer.get(1)).isEqualTo(false);
            }
            assertThat(auditLine()).contains("no user has authenticated");
            assertThat(engine.temporaryAuthorizations(Caller.SELF)).isEmpty();
        }
    }
}
