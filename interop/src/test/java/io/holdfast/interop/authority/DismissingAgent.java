package io.holdfast.interop.authority;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Struct;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** An agent that root registers for a subject; it records the dialogs, and never authenticates. */
final class DismissingAgent implements AutoCloseable {
    private static final String PATH = "/agent";

    private final BusConnection connection;
    private final BlockingQueue<List<Object>> requests = new LinkedBlockingQueue<>();

    /** Registers the agent. */
    DismissingAgent(AuthorityUnderTest underTest, Struct subject) throws InterruptedException {
        connection = BusConnection.connect(underTest.address());
        var _ =
                connection.export(
                        PATH,
                        BusInterface.named(AuthorityUnderTest.NAME + ".AuthenticationAgent")
                                .concurrent()
                                .method(
                                        "BeginAuthentication",
                                        "sssa{ss}sa(sa{sv})",
                                        "",
                                        call -> dismiss(call.arguments()))
                                .method("CancelAuthentication", "s", "", _ -> List.of())
                                .build());
        var _ =
                connection
                        .object(AuthorityUnderTest.NAME, AuthorityUnderTest.PATH)
                        .call(
                                AuthorityUnderTest.INTERFACE,
                                "RegisterAuthenticationAgent",
                                "(sa{sv})ss",
                                subject,
                                "C",
                                PATH);
    }

    private List<?> dismiss(List<Object> arguments) {
        List<Object> noted = new ArrayList<>(arguments.subList(0, 3));
        Map<String, Object> details = new TreeMap<>();
        ((Map<?, ?>) arguments.get(3)).forEach((key, value) -> details.put((String) key, value));
        noted.add(details);
        noted.add(arguments.get(5)); // without the cookie
        requests.add(noted);
        throw new DBusException(AuthorityUnderTest.NAME + ".Error.Cancelled", "dismissed");
    }

    /** Returns action, message, icon, details and identities of each dialog. */
    List<List<Object>> requests() {
        return List.copyOf(requests);
    }

    @Override
    public void close() {
        connection.close();
    }
}
