package io.holdfast.manager.scope;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.runtime.StateDiagram;
import io.holdfast.manager.unit.ActiveState;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ScopeStateTest {
    @Test
    void theDiagramShowsEveryStateAndOnlyTransitionsOfTheTable() throws Exception {
        StateDiagram diagram =
                StateDiagram.of(
                        Path.of("src/main/java/io/holdfast/manager/scope/ManagedScope.java"));

        assertThat(diagram.notIn(ScopeState.class, ScopeState.TABLE)).isEmpty();
        assertThat(diagram.states(ScopeState.class)).containsExactlyInAnyOrder(ScopeState.values());
    }

    @Test
    void aScopeIsStartedFromDeadAlone() {
        for (ScopeState state : ScopeState.values()) {
            assertThat(ScopeState.TABLE.after(state).contains(ScopeState.START_CHOWN))
                    .as(state.word())
                    .isEqualTo(state == ScopeState.DEAD);
            if (state.active() == ActiveState.DEACTIVATING) {
                assertThat(ScopeState.TABLE.after(state))
                        .noneMatch(ScopeState::isUp)
                        .contains(ScopeState.DEAD, ScopeState.FAILED);
            }
        }
    }
}
