package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Policy and service files that are added, changed and removed while the bus runs. */
@Timeout(60)
class WatchedConfigTest {
    private static final String BUS = "org.freedesktop.DBus";

    @TempDir private Path folder;
    private Path services;
    private Path policies;
    private Path file;

    @BeforeEach
    void layOut() throws Exception {
        services = Files.createDirectory(folder.resolve("services"));
        policies = folder.resolve("policies"); // made later
        file = folder.resolve("bus.conf");
        Files.writeString(
                file,
                """
                <busconfig>
                  <servicedir>services</servicedir>
                  <policy context="default">
                    <allow user="*"/>
                    <allow send_destination="*"/>
                    <allow receive_sender="*"/>
                  </policy>
                  <includedir>policies</includedir>
                </busconfig>
                """);
    }

    private Bus open() throws Exception {
        return Bus.open(
                BusOptions.of(
                        () -> BusConfig.load(file), BusAddress.parse("unix:tmpdir=" + folder)));
    }

    private static BusConnection connect(Bus bus) throws Exception {
        return BusConnection.connect(bus.addresses().getFirst().toString());
    }

    private static List<?> activatable(BusConnection client) throws InterruptedException {
        return (List<?>) client.bus().call(BUS, "ListActivatableNames").getFirst();
    }

    private static void awaitActivatable(BusConnection client, String name, boolean wanted)
            throws InterruptedException {
        while (activatable(client).contains(name) != wanted) {
            Await.pause();
        }
    }

    private void service(String name) throws Exception {
        Files.writeString(
                services.resolve(name + ".service"),
                "[D-BUS Service]\nName=%s\nExec=/bin/false\n".formatted(name));
    }

    private static boolean mayOwn(BusConnection client, String name) throws InterruptedException {
        try {
            var _ = client.requestName(name);
        } catch (DBusException e) {
            return false;
        }
        var _ = client.bus().call(BUS, "ReleaseName", "s", name);
        return true;
    }

    private static void awaitOwnable(BusConnection client, String name, boolean wanted)
            throws InterruptedException {
        while (mayOwn(client, name) != wanted) {
            Await.pause();
        }
    }

    @Test
    void aServiceFileThatComesOrGoesIsNoticed() throws Exception {
        try (Bus bus = open();
                BusConnection client = connect(bus)) {
            assertThat(activatable(client).toArray()).containsExactly(BUS);
            service("a.b");
            awaitActivatable(client, "a.b", true);
            Files.delete(services.resolve("a.b.service"));
            awaitActivatable(client, "a.b", false);
        }
    }

    @Test
    void aPolicyFileIsNoticedInAFolderThatComesLater() throws Exception {
        try (Bus bus = open();
                BusConnection client = connect(bus)) {
            assertThat(mayOwn(client, "a.b")).isFalse();
            Files.createDirectory(policies);
            Files.writeString(
                    policies.resolve("a.conf"),
                    "<busconfig><policy context='default'><allow own='a.b'/></policy></busconfig>");
            awaitOwnable(client, "a.b", true);
            Files.delete(policies.resolve("a.conf"));
            awaitOwnable(client, "a.b", false);
        }
    }

    @Test
    void aFileThatNamesAnotherFolderIsFollowedThere() throws Exception {
        Path more = folder.resolve("more");
        try (Bus bus = open();
                BusConnection client = connect(bus)) {
            Files.createDirectory(policies);
            Files.writeString(
                    policies.resolve("a.conf"),
                    "<busconfig><servicedir>%s</servicedir></busconfig>".formatted(more));
            Files.createDirectory(more);
            Files.writeString(
                    more.resolve("c.d.service"), "[D-BUS Service]\nName=c.d\nExec=/bin/false\n");
            awaitActivatable(client, "c.d", true);
            Files.writeString(
                    more.resolve("e.f.service"), "[D-BUS Service]\nName=e.f\nExec=/bin/false\n");
            awaitActivatable(client, "e.f", true);
        }
    }

    @Test
    void aBrokenFileChangesNothingAndItsRepairIsNoticed() throws Exception {
        Files.createDirectory(policies);
        Path own = policies.resolve("a.conf");
        Files.writeString(
                own,
                "<busconfig><policy context='default'><allow own='a.b'/></policy></busconfig>");
        try (Bus bus = open();
                BusConnection client = connect(bus)) {
            assertThat(mayOwn(client, "a.b")).isTrue();
            Files.writeString(policies.resolve("b.conf"), "<busconfig><policy>");
            service("a.b");
            assertThat(bus.reload().join()).isPresent();
            assertThat(mayOwn(client, "a.b")).as("by the files that were whole").isTrue();
            Files.delete(policies.resolve("b.conf"));
            awaitActivatable(client, "a.b", true);
        }
    }

    @Test
    void nothingIsLeftOfTheWatchWhenTheBusIsClosed() throws Exception {
        open().close(); // the JDK keeps descriptors of its first watch
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < 3; i++) {
            open().close();
        }
        before.awaitSameNumber();
    }

    @Test
    void aBusWithoutFoldersWatchesNothing() throws Exception {
        long watches = watches();
        try (Bus bus = Bus.open(BusAddress.parse("unix:tmpdir=" + folder), BusConfig.permissive());
                BusConnection client = connect(bus)) {
            assertThat(activatable(client).toArray()).containsExactly(BUS);
            assertThat(watches()).isEqualTo(watches);
        }
    }

    private static long watches() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("holdfast-folder-watch"))
                .count();
    }
}
