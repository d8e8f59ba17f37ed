package io.holdfast.varlink.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.varlink.RecordedLog;
import io.holdfast.varlink.server.ClientComplaints.Kind;
import io.holdfast.varlink.wire.VarlinkLimits;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClientComplaintsTest {
    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
    private final ClientComplaints complaints = new ClientComplaints(clock::get);

    @BeforeEach
    void forget() {
        RecordedLog.clear();
    }

    @Test
    void oneLineIsLoggedAtOnceAndTheLastOfTheOthersWithTheirNumber() {
        complaints.log(Kind.MALFORMED, 1, "{one}");
        clock.addAndGet(VarlinkLimits.LINE_INTERVAL.duration().toNanos() - 1);
        for (int i = 0; i < 1000; i++) {
            complaints.log(Kind.MALFORMED, 1, "two");
        }
        assertThat(RecordedLog.lines()).containsExactly("WARNING varlink: {one}");

        clock.addAndGet(1);
        complaints.log(Kind.MALFORMED, 1, "three");
        assertThat(RecordedLog.lines())
                .endsWith("WARNING varlink: two (and 999 more like it)", "WARNING varlink: three");
    }

    @Test
    void noUserAndNoKindHidesAnother() {
        complaints.log(Kind.MALFORMED, 1, "one");
        complaints.log(Kind.REFUSED, 1, "two");
        complaints.log(Kind.MALFORMED, 2, "three");
        assertThat(RecordedLog.lines())
                .containsExactly(
                        "WARNING varlink: one", "WARNING varlink: two", "WARNING varlink: three");
    }
}
