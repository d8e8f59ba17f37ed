package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.NameFlag;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** How the client receives signals. */
@SuppressWarnings("try") // exported objects are only kept open
public abstract class SignalsOnBus extends OnBus {
    @Test
    void signalsComeInOrderToWhoSubscribed() throws Exception {
        try (ExportedObject exported = service().export(PATH, test().signal("Tick", "i").build());
                Subscription ticks =
                        client().subscribe("type='signal',interface='" + TEST + "',member='Tick'");
                Subscription others = client().subscribe("type='signal',member='Tock'")) {
            for (int i = 0; i < 500; i++) {
                exported.emit(TEST, "Tick", i);
            }
            for (int i = 0; i < 500; i++) {
                try (Message tick = ticks.take()) {
                    assertThat(tick.values()).containsExactly(i);
                    assertThat(tick.sender()).isEqualTo(service().uniqueName());
                    assertThat(tick.path()).isEqualTo(PATH);
                }
            }
            assertThat(others.poll(Duration.ZERO)).isEmpty();
            assertThat(ticks.lost()).isZero();
        }
    }

    @Test
    void aSubscriptionGetsWhatItsRuleSays() throws Exception {
        BusInterface described = test().signal("S", "so").build();
        try (ExportedObject one = service().export(PATH, described);
                ExportedObject below = service().export(PATH + "/below", described);
                Subscription byPath = client().subscribe("member='S',path='" + PATH + "'");
                Subscription bySpace =
                        client().subscribe("member='S',path_namespace='" + PATH + "'");
                Subscription byText = client().subscribe("member='S',arg0='yes'");
                Subscription byNamespace = client().subscribe("member='S',arg0namespace='a.b'");
                Subscription byArgumentPath = client().subscribe("member='S',arg1path='/x/'");
                Subscription bySender =
                        client().subscribe("member='S',sender='" + client().uniqueName() + "'");
                Subscription end = client().subscribe("member='S',arg0='end'")) {
            one.emit(TEST, "S", "yes", "/x/y");
            below.emit(TEST, "S", "a.b.c", "/z");
            one.emit(TEST, "S", "a.bc", "/x");
            below.emit(TEST, "S", "end", "/end");
            end.take().close();
            assertThat(texts(byPath)).containsExactly("yes", "a.bc");
            assertThat(texts(bySpace)).containsExactly("yes", "a.b.c", "a.bc", "end");
            assertThat(texts(byText)).containsExactly("yes");
            assertThat(texts(byNamespace)).containsExactly("a.b.c");
            assertThat(texts(byArgumentPath)).containsExactly("yes");
            assertThat(texts(bySender)).isEmpty();
        }
    }

    private static List<Object> texts(Subscription subscription) throws InterruptedException {
        List<Object> texts = new ArrayList<>();
        for (var next = subscription.poll(Duration.ZERO);
                next.isPresent();
                next = subscription.poll(Duration.ZERO)) {
            try (Message signal = next.get()) {
                texts.add(signal.values().getFirst());
            }
        }
        return texts;
    }

    @Test
    void aWellKnownSenderIsItsOwnerAtTheTime() throws Exception {
        String name = "org.example.Owned";
        BusInterface described = test().signal("S", "s").build();
        try (BusConnection other = BusConnection.connect(bus().address());
                ExportedObject ofService = service().export(PATH, described);
                ExportedObject ofOther = other.export(PATH, described)) {
            service().requestName(name, NameFlag.ALLOW_REPLACEMENT);
            try (Subscription byName = client().subscribe("member='S',sender='" + name + "'");
                    Subscription all = client().subscribe("member='S'")) {
                emitAndTake(ofService, all, "first");
                emitAndTake(ofOther, all, "stranger");
                other.requestName(name, NameFlag.REPLACE_EXISTING);
                emitAndTake(ofOther, all, "second");
                emitAndTake(ofService, all, "queued");
                other.releaseName(name);
                emitAndTake(ofService, all, "third");
                service().releaseName(name);
                emitAndTake(ofService, all, "end");
                assertThat(texts(byName)).containsExactly("first", "second", "third");
            }
        }
    }

    /**
     * Emits a signal and waits until it arrives: later actions of other connections come after it.
     */
    private static void emitAndTake(ExportedObject from, Subscription all, String text)
            throws InterruptedException {
        from.emit(TEST, "S", text);
        all.take().close();
    }

    @Test
    void aHandlerOfSignalsRunsInOrderAndSurvivesItsMistakes() throws Exception {
        LinkedBlockingQueue<Object> handled = new LinkedBlockingQueue<>();
        try (ExportedObject exported = service().export(PATH, test().signal("Tick", "i").build());
                Subscription ticks =
                        client().subscribe(
                                        "member='Tick'",
                                        tick -> {
                                            handled.add(tick.values().getFirst());
                                            if (handled.size() == 1) {
                                                throw new IllegalStateException("a mistake");
                                            }
                                        })) {
            exported.emit(TEST, "Tick", 1);
            exported.emit(TEST, "Tick", 2);
            assertThat(handled.take()).isEqualTo(1);
            assertThat(handled.take()).isEqualTo(2);
            assertThat(ticks.rule()).contains("member='Tick'");
        }
    }

    @Test
    void signalsOverTheLimitAreLostAndCounted() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withQueuedSignals(10);
        try (BusConnection slow =
                        BusConnection.connect(BusAddress.parseList(bus().address()), options);
                ExportedObject exported =
                        service().export(PATH, test().signal("Tick", "i").build());
                Subscription ticks = slow.subscribe("member='Tick'");
                Subscription last =
                        slow.subscribe("member='Tick',sender='" + service().uniqueName() + "'")) {
            for (int i = 0; i < 15; i++) {
                exported.emit(TEST, "Tick", i);
                if (i >= 5) {
                    last.take().close();
                }
            }
            for (int i = 0; i < 5; i++) {
                last.take().close();
            }
            assertThat(ticks.lost()).isEqualTo(5);
            assertThat(texts(ticks)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        }
    }

    @Test
    void aClosedSubscriptionGetsNothingAndTheBusForgetsItsRule() throws Exception {
        try (ExportedObject exported = service().export(PATH, test().signal("Tick", "i").build())) {
            Subscription ticks = client().subscribe("member='Tick'");
            ticks.close();
            ticks.close();
            exported.emit(TEST, "Tick", 1);
            assertThatIllegalStateException().isThrownBy(ticks::take);
            assertError(
                    "org.freedesktop.DBus.Error.MatchRuleNotFound",
                    () ->
                            client().bus()
                                    .call(
                                            "org.freedesktop.DBus",
                                            "RemoveMatch",
                                            "s",
                                            ticks.rule()));
        }
    }

    @Test
    void aRuleThatIsNoneIsRefused() {
        assertThatExceptionOfType(io.holdfast.dbus.wire.match.MatchRuleException.class)
                .isThrownBy(() -> client().subscribe("nonsense").close());
    }
}
