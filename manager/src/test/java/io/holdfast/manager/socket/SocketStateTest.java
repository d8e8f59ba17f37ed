package io.holdfast.manager.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.runtime.StateDiagram;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SocketStateTest {
    @Test
    void theDiagramShowsEveryStateAndOnlyTransitionsOfTheTable() throws Exception {
        StateDiagram diagram =
                StateDiagram.of(
                        Path.of("src/main/java/io/holdfast/manager/socket/ManagedSocket.java"));

        assertThat(diagram.notIn(SocketState.class, SocketState.TABLE)).isEmpty();
        assertThat(diagram.states(SocketState.class))
                .containsExactlyInAnyOrder(SocketState.values());
    }
}
