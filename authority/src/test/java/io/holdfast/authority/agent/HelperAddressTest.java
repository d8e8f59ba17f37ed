package io.holdfast.authority.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HelperAddressTest {
    @TempDir private Path folder;

    private BusAddress bus() {
        return BusAddress.ofPath(folder.resolve("bus").toString());
    }

    private Path helper() {
        return folder.resolve("agent-helper.socket");
    }

    private UnixListener listen() {
        return UnixListener.listen(UnixAddress.path(helper()), SocketType.STREAM, 1);
    }

    @Test
    void theHelperOfAStackIsBesideItsBus() throws Exception {
        assertThat(HelperAddress.beside(bus())).isEmpty();
        try (UnixListener _ = listen()) {
            assertThat(HelperAddress.beside(bus())).contains(new HelperAddress.Socket(helper()));
            assertThat(HelperAddress.beside(BusAddress.parse("unix:abstract=" + folder + "/bus")))
                    .isEmpty();
        }
    }

    @Test
    void aBusWithNoFolderOfItsOwnHasNoHelper() throws Exception {
        assertThat(HelperAddress.beside(BusAddress.ofPath("/"))).isEmpty();
        assertThat(HelperAddress.beside(BusAddress.ofPath(folder + "/nowhere/bus"))).isEmpty();
    }

    @Test
    void aLinkThatChangesAfterTheCheckLeadsNowhereElse() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("stack"));
        Path stack = Files.createDirectory(folder.resolve("stack"));
        UnixAddress there = UnixAddress.path(stack.resolve("agent-helper.socket"));
        try (UnixListener _ = UnixListener.listen(there, SocketType.STREAM, 1)) {
            assertThat(HelperAddress.beside(BusAddress.ofPath(link.resolve("bus").toString())))
                    .contains(
                            new HelperAddress.Socket(
                                    stack.toRealPath().resolve("agent-helper.socket")));
        }
    }

    @Test
    @Needs(root = true)
    void noPasswordGoesToASocketOfAnybodyElse() throws Exception {
        try (UnixListener _ = listen()) {
            Files.setAttribute(helper(), "unix:uid", 65534);
            assertThat(HelperAddress.beside(bus())).isEmpty();
            Files.setAttribute(helper(), "unix:uid", 0);
            Files.setAttribute(folder, "unix:uid", 65534);
            assertThat(HelperAddress.beside(bus())).isEmpty();
            Files.setAttribute(folder, "unix:uid", 0);
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
            assertThat(HelperAddress.beside(bus())).isEmpty();
        }
    }
}
