package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SetuidPeer;
import io.holdfast.core.testkit.SetuidPeer.Way;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Struct;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code CheckAuthorization} for a client that becomes root after it has connected to the bus: it
 * gets no authorization that the user who connected does not have (CVE-2011-1485, CVE-2013-4288).
 */
class BecomingRootOnBusTest {
    @Nested
    @Needs(programs = {"perl", "setpriv"})
    class OnHoldfastBus extends Cases {
        @Override
        TestBus start(Path where) {
            return holdfastBus(where);
        }
    }

    @Nested
    @Needs(programs = {"perl", "setpriv", "dbus-daemon"})
    class OnDbusDaemon extends Cases {
        @Override
        TestBus start(Path where) throws Exception {
            return DbusDaemon.start(where);
        }
    }

    abstract static class Cases extends AuthorityBusSetUp {
        @ParameterizedTest
        @EnumSource
        void whoBecomesRootIsJudgedAsTheUserWhoConnected(Way way) throws Exception {
            folders.action("a.roots", "no");
            folders.rules(
                    "10.rules",
                    """
                    polkit.addRule(function(action, subject) {
                        if (action.id == "a.roots") {
                            return subject.user == "root" || subject.uid === 0
                                || subject.isInGroup("root") ? "yes" : "no";
                        }
                    });
                    """);
            engine.reload();
            Path socket = Path.of(bus.address().replaceAll(".*path=|,.*", ""));
            try (SetuidPeer peer = SetuidPeer.connect(folder, socket, KNOWN, way);
                    BusConnection its =
                            BusConnection.withPeer(
                                    peer.connection(), ConnectionOptions.standard())) {
                String name =
                        (String)
                                its.object(BusNames.BUS, BusNames.BUS_PATH)
                                        .call(BusNames.BUS, "Hello", "")
                                        .getFirst();
                peer.becomeRoot();
                RemoteObject asItself = its.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
                Struct byName = subject("system-bus-name", "name", "s", name);
                Struct byPidfd =
                        subject(
                                "unix-process",
                                "pidfd",
                                "h",
                                peer.process().fd(),
                                "uid",
                                "i",
                                KNOWN);
                Struct claimed =
                        subject("unix-process", "pidfd", "h", peer.process().fd(), "uid", "i", 0);
                Struct unclaimed =
                        subject(
                                "unix-process",
                                "pid",
                                "u",
                                peer.process().pid(),
                                "start-time",
                                "t",
                                0L);

                for (int flags : new int[] {0, 2}) {
                    for (RemoteObject each : new RemoteObject[] {authority, asItself}) {
                        assertThat(check(each, byName, "a.yes", flags).get(0)).isEqualTo(true);
                        assertThat(check(each, byName, "a.roots", flags).get(0)).isEqualTo(false);
                        assertFailed(() -> check(each, unclaimed, "a.roots", flags));
                    }
                    assertThat(check(byPidfd, "a.roots", flags).get(0)).isEqualTo(false);
                    assertNotAuthorized(() -> check(asItself, claimed, "a.roots", flags));
                    if (way == Way.EFFECTIVE) {
                        assertThat(check(asItself, byPidfd, "a.roots", flags).get(0))
                                .isEqualTo(false);
                    } else {
                        assertNotAuthorized(() -> check(asItself, byPidfd, "a.roots", flags));
                    }
                }
                for (Struct each : new Struct[] {claimed, unclaimed}) {
                    assertFailed(() -> register(asItself, each));
                }
            }
        }
    }
}
