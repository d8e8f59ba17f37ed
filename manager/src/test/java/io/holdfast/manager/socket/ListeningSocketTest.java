package io.holdfast.manager.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.ListenAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class ListeningSocketTest {
    private static final int NOBODY = 65534;
    private static final ListeningSocket.Owner ROOT = new ListeningSocket.Owner(0, -1);

    @TempDir private Path folder;

    private SocketSection settings() {
        UnitFile file = UnitFile.parse("test", "[Socket]\nListenStream=/run/x\n");
        UnitSource source = UnitSource.inMemory(UnitName.of("x.socket"), file);
        return ((SocketUnit)
                        new UnitReader(Host.UNKNOWN, ManagerScope.system(Map.of())).read(source))
                .socket();
    }

    @ParameterizedTest
    @EnumSource(
            value = Listen.Kind.class,
            names = {"STREAM", "DATAGRAM", "SEQUENTIAL_PACKET", "FIFO"})
    @Needs(root = true) // to become another user
    void aNodeThatCannotBeGivenAwayIsNotLeftThere(Listen.Kind kind) throws Exception {
        Path path = folder.resolve("node");
        Path _ = Files.setAttribute(folder, "unix:uid", NOBODY);
        Listen listen = new Listen(kind, new ListenAddress.Node(path.toString()));
        SocketSection settings = settings();
        OpenDescriptors before = OpenDescriptors.now();
        AsUser.nobody(() ->
                assertThatThrownBy(() -> ListeningSocket.open(listen, settings, ROOT))
                        .isInstanceOfAny(IOException.class, ErrnoException.class));
        assertThat(folder).isEmptyDirectory();
        before.awaitSameNumber();
    }

    @Test
    @Needs(root = true) // to become another user
    void aFifoThatWasThereIsLeftThere() throws Exception {
        Path path = folder.resolve("node");
        Path _ = Files.setAttribute(folder, "unix:uid", NOBODY);
        Listen listen = new Listen(Listen.Kind.FIFO, new ListenAddress.Node(path.toString()));
        SocketSection settings = settings();
        AsUser.nobody(() -> {
            ListeningSocket.open(listen, settings, ListeningSocket.Owner.OURS).close();
            assertThatThrownBy(() -> ListeningSocket.open(listen, settings, ROOT))
                    .isInstanceOf(IOException.class);
        });
        assertThat(path).exists();
    }
}
