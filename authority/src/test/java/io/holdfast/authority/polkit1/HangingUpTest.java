package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.Caller;
import io.holdfast.authority.client.Authority;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Struct;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * A user calls for an authorization that only root has, and hangs up, so that the bus does not know
 * the caller's user any more (CVE-2021-3560): the caller must never be taken for root.
 */
class HangingUpTest {
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
        private static final int ATTEMPTS = 40;

        /** The user hangs up at once, or after up to this many calls of the bus, less one. */
        private static final int MOMENTS = 4;

        private void hangUp(String method, String signature, Object... arguments) throws Exception {
            for (int i = 0; i < ATTEMPTS; i++) {
                try (BusConnection user = connectAs(KNOWN)) {
                    user.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                            .callWithoutReply(
                                    Authority.BUS_INTERFACE, method, signature, arguments);
                    for (int turn = i % MOMENTS; turn > 0; turn--) {
                        var _ = user.bus().call("org.freedesktop.DBus", "GetId", "");
                    }
                }
            }
        }

        private List<Struct> ofOthers() {
            int roots = parent.child("root's");
            int others = parent.child("others", "uid=" + OTHER_KNOWN);
            return List.of(
                    numbered(roots, 0),
                    numbered(others, OTHER_KNOWN),
                    subject("system-bus-name", "name", "s", client.uniqueName()));
        }

        /** A rule would act for a caller that is taken for root. */
        @Test
        void nothingIsDecidedForHim() throws Exception {
            Path reached = folder.resolve("reached");
            folders.action("a.acts", "no");
            folders.rules(
                    "10.rules",
                    """
                    polkit.addRule(function(action) {
                        if (action.id == "a.acts") {
                            polkit.spawn(["sh", "-c", "echo $0 >>%s", action.lookup("who")]);
                            return "yes";
                        }
                    });
                    """
                            .formatted(reached));
            engine.reload();
            String signature = SUBJECT + "sa{ss}us";
            List<Struct> subjects = ofOthers();
            for (Struct each : subjects) {
                hangUp(
                        "CheckAuthorization",
                        signature,
                        each,
                        "a.acts",
                        Map.of("who", "attacker"),
                        2,
                        "id");
            }
            for (Struct each : subjects) {
                Struct roots =
                        (Struct)
                                call(
                                                "CheckAuthorization",
                                                signature,
                                                each,
                                                "a.acts",
                                                Map.of("who", "root"),
                                                2,
                                                "")
                                        .getFirst();
                assertThat(roots.get(0)).isEqualTo(true);
            }
            assertThat(Files.readAllLines(reached)).containsOnly("root").hasSize(subjects.size());
            Await.until(() -> engine.connections().isEmpty());
        }

        @Test
        void heRegistersNoAgentForOthers() throws Exception {
            AtomicInteger changes = new AtomicInteger();
            try (AutoCloseable _ =
                    engine.onChange(_ -> {
                        var _ = changes.incrementAndGet();
                    })) {
                for (Struct each : ofOthers()) {
                    hangUp("RegisterAuthenticationAgent", SUBJECT + "ss", each, "C", AGENT_PATH);
                }
                Await.until(() -> engine.connections().isEmpty());
                register(authority, subject());
                assertThat(changes).as("only that of root").hasValue(1);
            }
        }

        @Test
        void heAnswersAndEndsNoDialogOfOthers() throws Exception {
            try (Dialog dialog = new Dialog()) {
                hangUp("AuthenticationAgentResponse", "s" + SUBJECT, dialog.cookie(), user());
                hangUp(
                        "AuthenticationAgentResponse2",
                        "us" + SUBJECT,
                        (int) USER,
                        dialog.cookie(),
                        user());
                hangUp(
                        "AuthenticationAgentResponse3",
                        "s" + SUBJECT + SUBJECT,
                        dialog.cookie(),
                        user(),
                        numbered((int) ProcessHandle.current().pid(), (int) USER));
                hangUp("UnregisterAuthenticationAgent", SUBJECT + "s", subject(), AGENT_PATH);
                hangUp("CancelCheckAuthorization", "s", "");
                assertFailed(() ->
                        call(
                                "AuthenticationAgentResponse2",
                                "us" + SUBJECT,
                                0,
                                dialog.cookie(),
                                user()));
                Struct answer = dialog.end();
                assertThat(answer.get(0)).as("authorized").isEqualTo(false);
                assertThat(answer.get(1)).as("not for want of an agent").isEqualTo(false);
            }
            assertThat(engine.temporaryAuthorizations(Caller.SELF)).isEmpty();
        }

        @Test
        void heTakesNothingBackThatIsKeptForOthers() throws Exception {
            String id;
            try (Dialog dialog = new Dialog()) {
                var _ =
                        call(
                                "AuthenticationAgentResponse2",
                                "us" + SUBJECT,
                                (int) USER,
                                dialog.cookie(),
                                user());
                Map<?, ?> details = (Map<?, ?>) dialog.end().get(2);
                id = String.valueOf(details.get("polkit.temporary_authorization_id"));
            }
            hangUp("RevokeTemporaryAuthorizationById", "s", id);
            hangUp(
                    "RevokeTemporaryAuthorizations",
                    SUBJECT,
                    subject("unix-session", "session-id", "s", "7"));
            assertThat(check(subject(), "a.keep", 0).get(0)).as("still kept").isEqualTo(true);
            var _ = call("RevokeTemporaryAuthorizationById", "s", id);
            assertThat(check(subject(), "a.keep", 0).get(0)).as("by root").isEqualTo(false);
        }
    }
}
