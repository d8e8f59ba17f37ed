package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.varlink.ClientComplaints.Kind;
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
    void oneIsSaidAtOnceAndTheNextWithHowManyWereLeftOut() {
        complaints.say(Kind.MALFORMED, "{one}");
        clock.addAndGet(ClientComplaints.INTERVAL - 1);
        for (int i = 0; i < 1000; i++) {
            complaints.say(Kind.MALFORMED, "two");
        }
        assertThat(RecordedLog.lines()).containsExactly("WARNING varlink: {one}");

        clock.addAndGet(1);
        complaints.say(Kind.MALFORMED, "three");
        assertThat(RecordedLog.lines().getLast())
                .isEqualTo("WARNING varlink: three (and 1000 more like it before)");
    }

    @Test
    void oneKindKeepsNoOtherOut() {
        complaints.say(Kind.MALFORMED, "one");
        complaints.say(Kind.REFUSED, "two");
        assertThat(RecordedLog.lines())
                .containsExactly("WARNING varlink: one", "WARNING varlink: two");
    }
}
