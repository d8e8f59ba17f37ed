package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How the client exports objects. */
@SuppressWarnings("try") // exported objects are only kept open
public abstract class ObjectsOnBus extends OnBus {
    @Test
    void handlersRunInOrderAndOneAtATimeUnlessSaidOtherwise() throws Exception {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Integer> order = new ArrayList<>();
        try (ExportedObject exported =
                service()
                        .export(
                                PATH,
                                test().method(
                                                "Note",
                                                "i",
                                                "",
                                                call -> {
                                                    most.accumulateAndGet(
                                                            running.incrementAndGet(), Math::max);
                                                    order.add(call.argument(0, Integer.class));
                                                    running.decrementAndGet();
                                                    return List.of();
                                                })
                                        .build())) {
            for (int i = 0; i < 200; i++) {
                remote().callWithoutReply(TEST, "Note", "i", i);
            }
            remote().call(TEST, "Note", "i", 200);
        }
        assertThat(most.get()).isEqualTo(1);
        assertThat(order).isEqualTo(IntStream.rangeClosed(0, 200).boxed().toList());
    }

    @Test
    void concurrentMethodsRunAtTheSameTime() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        BusInterface meeting =
                test().concurrent()
                        .method(
                                "Meet",
                                "",
                                "",
                                _ -> {
                                    both.countDown();
                                    both.await();
                                    return List.of();
                                })
                        .build();
        try (ExportedObject exported = service().export(PATH, meeting);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> one = threads.submit(() -> remote().call(TEST, "Meet"));
            Future<?> other = threads.submit(() -> remote().call(TEST, "Meet"));
            one.get();
            other.get();
        }
    }

    @Test
    void callsOverTheLimitAreAnsweredWithLimitsExceeded() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withIncomingCalls(2);
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        BusInterface waiting =
                test().method(
                                "Wait",
                                "",
                                "",
                                _ -> {
                                    called.countDown();
                                    go.await();
                                    return List.of();
                                })
                        .build();
        try (BusConnection limited =
                        BusConnection.connect(BusAddress.parseList(bus().address()), options);
                ExportedObject exported = limited.export(PATH, waiting)) {
            RemoteObject object = client().object(limited.uniqueName(), PATH);
            // Until its user is known, a name may have half of the two calls, so the second is
            // refused.
            object.call("org.freedesktop.DBus.Peer", "Ping");
            object.callWithoutReply(TEST, "Wait", "");
            object.callWithoutReply(TEST, "Wait", "");
            called.await();
            assertError(DBusException.LIMITS_EXCEEDED, () -> object.call(TEST, "Wait"));
            object.call("org.freedesktop.DBus.Peer", "Ping");
            go.countDown();
            Await.until(() -> {
                try {
                    return object.call(TEST, "Wait").isEmpty();
                } catch (DBusException e) {
                    return false;
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
        }
    }

    @Test
    void whatAHandlerThrowsIsTheCallersError() throws Exception {
        BusInterface failing =
                test().method(
                                "Named",
                                "",
                                "",
                                _ -> {
                                    throw new DBusException("org.example.Error.Mine", "so it is");
                                })
                        .method(
                                "Other",
                                "",
                                "",
                                _ -> {
                                    throw new java.io.IOException("the disk is gone");
                                })
                        .method("Wrong", "", "i", _ -> List.of("not a number"))
                        .build();
        try (ExportedObject exported = service().export(PATH, failing)) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> remote().call(TEST, "Named"))
                    .withMessage("org.example.Error.Mine: so it is");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> remote().call(TEST, "Other"))
                    .withMessage(DBusException.FAILED + ": the disk is gone");
            assertError(DBusException.FAILED, () -> remote().call(TEST, "Wrong"));
        }
    }

    @Test
    void callsOfWhatIsNotThereGetTheRightErrors() throws Exception {
        try (ExportedObject exported =
                service().export(PATH, test().method("M", "i", "", _ -> List.of()).build())) {
            assertError(
                    DBusException.UNKNOWN_OBJECT,
                    () -> client().object(service().uniqueName(), "/no").call(TEST, "M", "i", 1));
            assertError(
                    DBusException.UNKNOWN_INTERFACE,
                    () -> remote().call("org.example.Other", "M", "i", 1));
            assertError(DBusException.UNKNOWN_METHOD, () -> remote().call(TEST, "N", "i", 1));
            assertError(DBusException.INVALID_ARGS, () -> remote().call(TEST, "M", "s", "x"));
        }
        assertError(DBusException.UNKNOWN_OBJECT, () -> remote().call(TEST, "M", "i", 1));
    }

    @Test
    void propertiesAreReadSetAndToldOf() throws Exception {
        AtomicReference<String> zone = new AtomicReference<>("UTC");
        BusInterface described =
                test().property("Zone", "s", zone::get, value -> zone.set((String) value))
                        .property("Version", "u", () -> 7, null, BusInterface.Change.CONSTANT)
                        .property("Load", "d", () -> 0.5, null, BusInterface.Change.INVALIDATED)
                        .build();
        try (ExportedObject exported = service().export(PATH, described);
                Subscription changes =
                        client().subscribe("interface='org.freedesktop.DBus.Properties'")) {
            assertThat(remote().get(TEST, "Zone")).isEqualTo("UTC");
            assertThat(remote().getAll(TEST))
                    .containsExactly(
                            Map.entry("Zone", "UTC"),
                            Map.entry("Version", 7L),
                            Map.entry("Load", 0.5));
            remote().set(TEST, "Zone", Variant.of("CET"));
            assertThat(zone).hasValue("CET");
            try (Message change = changes.take()) {
                assertThat(change.values())
                        .containsExactly(TEST, Map.of("Zone", Variant.of("CET")), List.of());
            }
            exported.changed(TEST, "Load", "Version");
            try (Message change = changes.take()) {
                assertThat(change.values()).containsExactly(TEST, Map.of(), List.of("Load"));
            }
            assertError(DBusException.UNKNOWN_PROPERTY, () -> remote().get(TEST, "No"));
            assertError(DBusException.UNKNOWN_INTERFACE, () -> remote().get("a.b", "Zone"));
            assertError(
                    DBusException.PROPERTY_READ_ONLY,
                    () -> remote().set(TEST, "Version", Variant.of("u", 8)));
            assertError(
                    DBusException.INVALID_ARGS, () -> remote().set(TEST, "Zone", Variant.of(8)));
            assertThatIllegalArgumentException().isThrownBy(() -> exported.changed(TEST, "No"));
        }
    }

    @Test
    void introspectionTellsInterfacesAndTheObjectsBelow() throws Exception {
        BusInterface described =
                test().method("Add", "ii", "i", MethodCall::arguments, "a", "b", "sum")
                        .property("Zone", "s", () -> "UTC")
                        .signal("Tick", "x", "time")
                        .build();
        try (ExportedObject exported = service().export(PATH, described);
                ExportedObject below = service().export(PATH + "/below/it", described)) {
            String xml = introspect(PATH);
            assertThat(xml)
                    .contains("<interface name=\"org.example.Test\">")
                    .contains("<arg name=\"sum\" type=\"i\" direction=\"out\"/>")
                    .contains("<property name=\"Zone\" type=\"s\" access=\"read\"/>")
                    .contains("<arg name=\"time\" type=\"x\"/>")
                    .contains("<interface name=\"org.freedesktop.DBus.ObjectManager\">")
                    .contains("<node name=\"below\"/>");
            assertThat(introspect("/")).contains("<node name=\"org\"/>").doesNotContain(TEST);
            assertThat(introspect("/org/example")).contains("<node name=\"Test\"/>");
            assertThat(introspect(PATH + "/below")).contains("<node name=\"it\"/>");
            assertError(DBusException.UNKNOWN_OBJECT, () -> introspect("/nowhere"));
        }
    }

    private String introspect(String path) throws InterruptedException {
        return (String)
                client().object(service().uniqueName(), path)
                        .call("org.freedesktop.DBus.Introspectable", "Introspect")
                        .getFirst();
    }

    @Test
    void anObjectManagesThoseBelowIt() throws Exception {
        String manager = "org.freedesktop.DBus.ObjectManager";
        BusInterface described = test().property("Zone", "s", () -> "UTC").build();
        try (ExportedObject root = service().export(PATH);
                Subscription signals = client().subscribe("interface='" + manager + "'")) {
            ExportedObject below = service().export(PATH + "/a", described);
            Map<String, Object> interfaces = Map.of(TEST, Map.of("Zone", Variant.of("UTC")));
            try (Message added = signals.take()) {
                assertThat(added.path()).isEqualTo(PATH);
                assertThat(added.member()).isEqualTo("InterfacesAdded");
                assertThat(added.values()).containsExactly(new ObjectPath(PATH + "/a"), interfaces);
            }
            assertThat(remote().call(manager, "GetManagedObjects"))
                    .containsExactly(Map.of(new ObjectPath(PATH + "/a"), interfaces));
            below.close();
            try (Message removed = signals.take()) {
                assertThat(removed.member()).isEqualTo("InterfacesRemoved");
                assertThat(removed.values())
                        .containsExactly(new ObjectPath(PATH + "/a"), List.of(TEST));
            }
            assertThat(remote().call(manager, "GetManagedObjects")).containsExactly(Map.of());
            assertThat(root.path()).isEqualTo(PATH);
        }
    }

    @Test
    void everyPathAnswersToPeer() throws Exception {
        RemoteObject anywhere = client().object(service().uniqueName(), "/any/where");
        assertThat(anywhere.call("org.freedesktop.DBus.Peer", "Ping")).isEmpty();
        assertThat(anywhere.call("org.freedesktop.DBus.Peer", "GetMachineId").getFirst())
                .asString()
                .matches("[0-9a-f]{32}");
    }

    @Test
    void anObjectIsThereOnce() {
        BusInterface described = test().build();
        try (ExportedObject exported = service().export(PATH, described)) {
            assertThatIllegalStateException().isThrownBy(() -> service().export(PATH));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> service().export("/x", described, described));
            assertThatIllegalArgumentException().isThrownBy(() -> service().export("x", described));
            assertThat(exported).hasToString(PATH);
        }
    }
}
