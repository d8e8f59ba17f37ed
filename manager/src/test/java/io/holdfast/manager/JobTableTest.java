package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JobTableTest {
    private static final UnitName A = UnitName.of("a.service");
    private static final UnitName B = UnitName.of("b.service");

    private final List<String> told = new ArrayList<>();
    private final JobTable table =
            new JobTable(
                    new UnitListener() {
                        @Override
                        public void unitNew(UnitName unit) {}

                        @Override
                        public void unitChanged(UnitName unit) {}

                        @Override
                        public void jobNew(UnitJob job) {
                            told.add("new " + job.id() + " " + job.type().word());
                        }

                        @Override
                        public void jobRemoved(UnitJob job, JobResult result) {
                            told.add("removed " + job.id() + " " + result.word());
                        }
                    });

    @Test
    void whoAsksForTheSameGetsTheSame() {
        UnitJob first = table.install(A, JobType.START);

        assertThat(table.install(A, JobType.START)).isEqualTo(first);
        assertThat(table.install(B, JobType.START).id()).isEqualTo(first.id() + 1);
        table.running(first.id());
        assertThat(table.find(first.id()).orElseThrow().state()).isEqualTo("running");
        assertThat(table.all()).hasSize(2);
    }

    @Test
    void theOppositeTakesThePlaceAndAnEndIsToldOnce() {
        UnitJob start = table.install(A, JobType.START);
        assertThat(table.inTheWay(A, JobType.STOP)).isPresent();
        assertThat(table.inTheWay(A, JobType.START)).isEmpty();
        UnitJob stop = table.install(A, JobType.STOP);
        table.end(start.id(), JobResult.FAILED);
        table.end(stop.id(), JobResult.DONE);
        table.end(stop.id(), JobResult.DONE);

        assertThat(told)
                .containsExactly(
                        "new 1 start", "removed 1 canceled", "new 2 stop", "removed 2 done");
        assertThat(table.of(A)).isEmpty();
        assertThat(table.last()).isEqualTo(2);
    }

    @Test
    void aRestartServesAStartAndAReloadStandsBeside() {
        UnitJob restart = table.install(A, JobType.RESTART);
        UnitJob reload = table.install(A, JobType.RELOAD);

        assertThat(table.install(A, JobType.START)).isEqualTo(restart);
        assertThat(table.of(A)).contains(restart);
        table.end(restart.id(), JobResult.DONE);
        assertThat(table.of(A)).contains(reload);
        UnitJob nothing = table.installBeside(A, JobType.TRY_RESTART);
        table.end(nothing.id(), JobResult.DONE);
        assertThat(table.of(A)).as("still there").contains(reload);
    }
}
