package io.holdfast.authority.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.PolicyKit1;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** A fake authority on a bus, which records the calls of agents and helpers. */
final class FakeAuthority implements AutoCloseable {
    /** A registration of an agent, or its end. */
    record Registration(String method, String sender, Struct subject, String locale, Object last) {}

    /**
     * A report of a helper.
     *
     * @param uid the agent's user in the report
     * @param agent the agent's process, only from AuthenticationAgentResponse3; to be closed
     */
    record Response(String cookie, Object identity, long uid, List<PidFd> agent) {}

    final BlockingQueue<Registration> registrations = new LinkedBlockingQueue<>();
    final BlockingQueue<Response> responses = new LinkedBlockingQueue<>();

    /** The cookies of attempts that helpers have begun. */
    final BlockingQueue<String> attempts = new LinkedBlockingQueue<>();

    private final BusConnection bus;

    /**
     * Connects a fake authority.
     *
     * @param newest whether it has AuthenticationAgentResponse3 and Holdfast's BeginAttempt
     */
    FakeAuthority(String address, boolean newest) throws InterruptedException {
        bus = BusConnection.connect(address);
        BusInterface.Builder described =
                BusInterface.named(Authority.BUS_INTERFACE)
                        .method(
                                "RegisterAuthenticationAgentWithOptions",
                                "(sa{sv})ssa{sv}",
                                "",
                                call -> registered(call, "register"))
                        .method(
                                "UnregisterAuthenticationAgent",
                                "(sa{sv})s",
                                "",
                                call -> registered(call, "unregister"))
                        .method(
                                "AuthenticationAgentResponse2",
                                "us(sa{sv})",
                                "",
                                call -> {
                                    responses.add(
                                            new Response(
                                                    call.string(1),
                                                    call.arguments().get(2),
                                                    call.argument(0, Long.class),
                                                    List.of()));
                                    return List.of();
                                });
        if (newest) {
            described.method(
                    "AuthenticationAgentResponse3", "s(sa{sv})(sa{sv})", "", this::response3);
        }
        BusInterface helpers =
                BusInterface.named(PolicyKit1.HELPER_INTERFACE)
                        .method(
                                PolicyKit1.BEGIN_ATTEMPT,
                                "s(sa{sv})(sa{sv})",
                                "",
                                this::beginAttempt)
                        .build();
        var _ =
                newest
                        ? bus.export(Authority.OBJECT_PATH, described.build(), helpers)
                        : bus.export(Authority.OBJECT_PATH, described.build());
        var _ = bus.requestName(Authority.BUS_NAME);
    }

    private List<?> registered(MethodCall call, String method) {
        List<Object> arguments = call.arguments();
        boolean in = method.equals("register");
        registrations.add(
                new Registration(
                        method,
                        call.sender(),
                        call.argument(0, Struct.class),
                        in ? call.string(1) : "",
                        arguments.getLast()));
        return List.of();
    }

    private List<?> beginAttempt(MethodCall call) {
        if (call.string(0).equals("unknown")) {
            throw new DBusException(PolicyKit1.FAILED, "No session for cookie");
        }
        attempts.add(call.string(0));
        return List.of();
    }

    private List<?> response3(MethodCall call) {
        Struct subject = call.argument(2, Struct.class);
        assertThat(subject.get(0)).isEqualTo("unix-process");
        Map<?, ?> details = (Map<?, ?>) subject.get(1);
        if (!(details.get("pidfd") instanceof Variant(_, Handle handle))
                || !(details.get("uid") instanceof Variant(_, Integer uid))) {
            throw new AssertionError("no pidfd or no uid: " + details);
        }
        if (call.string(0).equals("refused")) {
            throw new DBusException(PolicyKit1.FAILED, "No session for cookie");
        }
        responses.add(
                new Response(
                        call.string(0),
                        call.arguments().get(1),
                        Integer.toUnsignedLong(uid),
                        List.of(PidFd.adopt(call.descriptor(handle)))));
        return List.of();
    }

    /** Returns the agent object of a connection. */
    RemoteObject agent(String name) {
        return bus.object(name, AuthenticationAgent.PATH);
    }

    @Override
    public void close() {
        bus.close();
    }
}
