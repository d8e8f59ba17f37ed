package io.holdfast.dbus.typed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.testkit.PeerPair;
import io.holdfast.dbus.wire.Struct;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An Error that a record throws while it is converted fails the call, on both sides. */
@SuppressWarnings("try") // exported objects are only kept open
@SameOnEveryKernel
@Timeout(60)
class FailingConversionTest {
    private static final int MOST_CALLS = 2;
    private static final ConnectionOptions FEW_CALLS =
            ConnectionOptions.standard().withIncomingCalls(MOST_CALLS);

    /** An interface with an asynchronous result. */
    @DBusName("org.example.Test")
    public interface Dice {
        CompletionStage<Eyes> roll();
    }

    /** A result that cannot be 7, and that refuses to be sent if it is 6. */
    public record Eyes(int number) {
        public Eyes {
            if (number == 7) {
                throw new AssertionError("no 7 on a die");
            }
        }

        @Override
        public int number() {
            if (number == 6) {
                throw new AssertionError("no 6 today");
            }
            return number;
        }
    }

    @Test
    void theFutureOfAProxyFails() throws Exception {
        BusInterface cheating =
                BusInterface.named("org.example.Test")
                        .method("Roll", "", "(i)", _ -> List.of(Struct.of(7)))
                        .build();
        try (PeerPair pair = PeerPair.connect();
                ExportedObject exported = pair.server().export("/dice", cheating)) {
            Dice dice = Proxy.of(pair.client().object("/dice"), Dice.class);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> dice.roll().toCompletableFuture().get())
                    .withRootCauseInstanceOf(AssertionError.class)
                    .withMessageContaining("no 7 on a die");
        }
    }

    @Test
    void theCallerOfAnExportGetsAnErrorAndTheCallEnds() throws Exception {
        Dice unlucky = () -> CompletableFuture.completedStage(new Eyes(6));
        try (PeerPair pair = PeerPair.connect(FEW_CALLS);
                Export exported = Export.of(pair.server(), "/dice", Dice.class, unlucky)) {
            for (int i = 0; i < 2 * MOST_CALLS; i++) {
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() ->
                                pair.client().object("/dice").call("org.example.Test", "Roll"))
                        .withMessage(DBusException.FAILED + ": no 6 today");
            }
            assertThat(pair.server().isOpen()).isTrue();
        }
    }
}
