package io.holdfast.manager.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.manager.runtime.StateDiagram;
import io.holdfast.manager.unit.ActiveState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ServiceStateTest {
    @Test
    void theDiagramShowsEveryStateAndOnlyTransitionsOfTheTable() throws Exception {
        StateDiagram diagram =
                StateDiagram.of(
                        Path.of("src/main/java/io/holdfast/manager/service/ManagedService.java"));

        assertThat(diagram.notIn(ServiceState.class, ServiceState.TABLE)).isEmpty();
        assertThat(diagram.states(ServiceState.class))
                .containsExactlyInAnyOrder(ServiceState.values());
    }

    @Test
    void everyStateIsReachedFromDeadAndLeadsBackToIt() {
        for (ServiceState state : ServiceState.values()) {
            assertThat(reachable(ServiceState.DEAD)).contains(state);
            assertThat(reachable(state)).contains(ServiceState.DEAD);
        }
    }

    @Test
    void whatIsUpIsLeftOnlyBySignalsOrStopCommands() {
        for (ServiceState state : ServiceState.values()) {
            boolean runs =
                    state.active() == ActiveState.ACTIVE || state.active() == ActiveState.RELOADING;
            for (ServiceState next : ServiceState.TABLE.after(state)) {
                if (runs && next.active() == ActiveState.DEACTIVATING) {
                    assertThat(next)
                            .isIn(
                                    ServiceState.STOP,
                                    ServiceState.STOP_SIGTERM,
                                    ServiceState.STOP_WATCHDOG);
                }
                if (runs) {
                    assertThat(next.active()).isNotIn(ActiveState.INACTIVE, ActiveState.FAILED);
                }
            }
        }
    }

    @Test
    void aTransitionThatIsNotInTheTableIsAFault() {
        List<String> log = new ArrayList<>();
        ServiceState.TABLE.check(ServiceState.DEAD, ServiceState.DEAD_CHECKING, log::add);

        assertThat(ServiceState.class.desiredAssertionStatus()).as("tests run with -ea").isTrue();
        assertThatThrownBy(() ->
                        ServiceState.TABLE.check(ServiceState.DEAD, ServiceState.RUNNING, log::add))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("from DEAD to RUNNING");
        assertThat(log).isEmpty();
    }

    private static Set<ServiceState> reachable(ServiceState from) {
        Set<ServiceState> found = EnumSet.of(from);
        List<ServiceState> todo = new ArrayList<>(found);
        while (!todo.isEmpty()) {
            for (ServiceState next : ServiceState.TABLE.after(todo.removeLast())) {
                if (found.add(next)) {
                    todo.add(next);
                }
            }
        }
        return found;
    }
}
