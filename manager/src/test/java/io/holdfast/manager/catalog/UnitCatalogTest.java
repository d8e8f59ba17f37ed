package io.holdfast.manager.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.ServedPaths;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.UnitReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a start pulls in on a machine that has already booted. */
@Timeout(60)
class UnitCatalogTest {
    private static final UnitName SERVICE = UnitName.of("a.service");
    private static final UnitName SOCKET = UnitName.of("a.socket");

    @TempDir private Path folder;
    private UnitCatalog catalog;
    private Path path;

    @BeforeEach
    void open() throws Exception {
        path = folder.resolve("a.sock");
        Path system = Files.createDirectory(folder.resolve("system"));
        Files.writeString(
                system.resolve("a.service"),
                "[Unit]\nRequires=a.socket\n[Service]\nExecStart=/bin/true\n");
        Files.writeString(system.resolve("a.socket"), "[Socket]\nListenStream=" + path + "\n");
        catalog =
                new UnitCatalog(
                        new LoadPath(List.of(system)),
                        List.of(),
                        new UnitReader(Host.UNKNOWN, ManagerScope.system(Map.of())));
    }

    private UnitCatalog.Closure pulled(Set<UnitName> up) {
        return catalog.closure(List.of(SERVICE), List.of(), up);
    }

    /** Returns all units but the slices, which come with every unit. */
    private static Set<UnitName> besideSlices(UnitCatalog.Closure closure) {
        return closure.units().keySet().stream()
                .filter(name -> name.type() != UnitType.SLICE)
                .collect(Collectors.toSet());
    }

    @Test
    void aSocketThatNobodyServesIsPulledIn() {
        assertThat(besideSlices(pulled(Set.of()))).containsExactlyInAnyOrder(SERVICE, SOCKET);
        assertThat(pulled(Set.of()).notices()).isEmpty();
    }

    @Test
    void aSocketThatSomebodyElseServesIsTakenAsMet() throws Exception {
        try (UnixListener other =
                UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 5)) {
            UnitCatalog.Closure closure = pulled(Set.of());
            assertThat(besideSlices(closure)).containsExactly(SERVICE);
            assertThat(closure.missing()).isEmpty();
            assertThat(closure.notices())
                    .containsExactly(
                            "a.service: Requires=a.socket is taken as met: another program already"
                                    + " serves it");
            assertThat(other.tryAccept()).as("nobody is disturbed").isEmpty();

            assertThat(pulled(Set.of(SOCKET)).units()).as("ours").containsKey(SOCKET);
            assertThat(catalog.closure(List.of(SOCKET), List.of(), Set.of()).units())
                    .as("asked for by name")
                    .containsKey(SOCKET);
        }
    }

    @Test
    void aConnectionThatIsLeftDoesNotServe() throws Exception {
        UnixListener listener = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 5);
        try (UnixSocket _ = UnixSocket.connect(UnixAddress.path(path), SocketType.STREAM);
                UnixSocket _ = listener.accept()) {
            listener.close();
            assertThat(pulled(Set.of()).units()).containsKey(SOCKET);
        } finally {
            listener.close();
        }
    }

    @Test
    void theKernelsTableIsReadByItsColumns() {
        String table =
                """
                Num       RefCount Protocol Flags    Type St Inode Path
                0000000000000000: 00000002 00000000 00010000 0001 01 35842 /run/with blank.sock
                0000000000000000: 00000003 00000000 00000000 0001 03 35843 /run/connected
                0000000000000000: 00000002 00000000 00000000 0002 01 35844 /run/datagrams
                0000000000000000: 00000002 00000000 00010000 0001 01 35845 @abstract
                0000000000000000: 00000003 00000000 00000000 0001 03 35846
                """;
        assertThat(ServedPaths.parse(table))
                .containsExactlyInAnyOrder("/run/with blank.sock", "/run/datagrams");
        assertThat(ServedPaths.parse("")).isEmpty();
    }

    @Test
    void aServiceOnTheBusNeedsTheSocketOfTheBusWhereThatIsThere() throws Exception {
        Path system = folder.resolve("system");
        UnitName known = UnitName.of("known.service");
        UnitName bus = UnitName.of("dbus.socket");
        Files.writeString(
                system.resolve("known.service"),
                "[Service]\nType=dbus\nBusName=org.example.Known\nExecStart=/bin/true\n");
        UnitCatalog.Closure without = catalog.closure(List.of(known), List.of(), Set.of());
        assertThat(besideSlices(without)).containsExactly(known);
        assertThat(without.missing()).isEmpty();

        Files.writeString(
                system.resolve("dbus.socket"),
                "[Socket]\nListenStream=" + path + "\nService=a.service\n");
        UnitCatalog.Closure closure = catalog.closure(List.of(known), List.of(), Set.of());
        assertThat(closure.units()).containsKeys(known, bus);
        assertThat(catalog.read(known).unit().dependencies().of(Dependency.AFTER)).contains(bus);

        Files.delete(system.resolve("dbus.socket"));
        Files.createSymbolicLink(system.resolve("dbus.socket"), Path.of("/dev/null"));
        UnitCatalog.Closure masked = catalog.closure(List.of(known), List.of(), Set.of());
        assertThat(besideSlices(masked)).as("nothing is refused for it").containsExactly(known);
    }

    @Test
    void onlyAUnitOfTheSystemMayRequireATargetThatIsMissing() throws Exception {
        Path own = Files.createDirectory(folder.resolve("own"));
        UnitName target = UnitName.of("lost.target");
        UnitName service = UnitName.of("needing.service");
        String text = "[Unit]\nRequires=lost.target lost.service\n[Service]\nExecStart=/bin/true\n";
        Files.writeString(folder.resolve("system").resolve("needing.service"), text);
        UnitCatalog.Closure ofSystem = catalog.closure(List.of(service), List.of(), Set.of());
        assertThat(ofSystem.missing())
                .extracting(UnitCatalog.Missing::required)
                .containsExactly(UnitName.of("lost.service"));
        assertThat(ofSystem.units()).containsKey(UnitName.of("lost.service"));
        assertThat(catalog.read(service).unit().requires(target)).isFalse();

        Files.writeString(own.resolve("needing.service"), text);
        UnitCatalog ofUser =
                new UnitCatalog(
                        new LoadPath(List.of(folder.resolve("system"))),
                        List.of(own),
                        new UnitReader(Host.UNKNOWN, ManagerScope.system(Map.of())));
        assertThat(ofUser.read(service).unit().requires(target)).isTrue();
        assertThat(ofUser.closure(List.of(service), List.of(), Set.of()).units())
                .containsKeys(target, UnitName.of("lost.service"));
    }
}
